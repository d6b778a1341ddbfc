/* libFuzzer on firmware/core/protocol.c. An input is a list of pieces, each a byte of mode, a byte of length and so
   many bytes: mode 0 goes onto the wire as it is, mode 1 as a frame with the right CRC, other modes as such a frame
   with the bit of that number turned over. Afterwards the device must answer an echo, whatever came before. */
#include <stdlib.h>
#include <string.h>

#include "device.h"

enum { MOST = 1024 };

static uint8_t heard[1 << 16];
static size_t heard_size;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(uint8_t byte)
{
    if (heard_size < sizeof heard)
        heard[heard_size++] = byte;
}

/* COBS of `size` bytes between two zeros. */
static size_t frame(const uint8_t *data, size_t size, uint8_t *to)
{
    size_t at = 2, code = 1;

    to[0] = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && data[i] != 0u)
            to[at++] = data[i];
        if (i == size || data[i] == 0u || at - code == 255u) {
            to[code] = (uint8_t)(at - code);
            code = at++;
        }
    }
    to[code] = 0;
    return code + 1;
}

static size_t message(const uint8_t *body, size_t size, uint8_t *to)
{
    uint8_t with_crc[MOST];
    const uint32_t crc = ~protocol_crc(~0u, body, (uint32_t)size);

    memcpy(with_crc, body, size);
    for (size_t i = 0; i < 4; i++)
        with_crc[size + i] = (uint8_t)(crc >> (8 * i) & 0xffu);
    return frame(with_crc, size + 4, to);
}

static void send(device_t *device, const uint8_t *wire, size_t size)
{
    for (size_t i = 0; i < size; i++)
        protocol_receive(&device->link, wire[i]);
}

static void must_answer(device_t *device)
{
    static const uint8_t asked[] = { 0x15, 0x42, 1, 0, 2, 0, 3 }, reply[] = { 0x95, 0x42, 0, 1, 0, 2, 0, 3 };
    uint8_t wire[MOST], expected[MOST];
    const size_t size = message(asked, sizeof asked, wire), wanted = message(reply, sizeof reply, expected);

    protocol_receive(&device->link, 0u);
    heard_size = 0;
    send(device, wire, size);
    if (heard_size != wanted || memcmp(heard, expected, wanted) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    device_t device;
    uint8_t wire[MOST];

    device_open(&device, put);
    while (size >= 2) {
        const size_t mode = data[0], length = data[1] < size - 2 ? data[1] : size - 2;
        size_t made;

        heard_size = 0;
        if (mode == 0) {
            send(&device, data + 2, length);
        } else {
            made = message(data + 2, length, wire);
            if (mode > 1)
                wire[mode / 8 % made] ^= (uint8_t)(1u << mode % 8);
            send(&device, wire, made);
        }
        data += 2 + length;
        size -= 2 + length;
    }
    must_answer(&device);
    device_close(&device);
    return 0;
}
