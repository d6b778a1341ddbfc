/* A model with a serial port: what every image for a board runs. image.h names model, board and sizes. */
#include <stddef.h>

#include "header.h"
#include "image.h"
#include "chip.h"
#include "protocol.h"
#include "self_test.h"
#include "model.h"

static uint8_t digit(unsigned value)
{
    return (uint8_t)"0123456789abcdef"[value & 15u];
}

/* The text of hello: model and board as they were built, and the digest that was put into the header since. */
static uint32_t make_hello(uint8_t *to)
{
    static const char head[] = IMAGE_HELLO_HEAD, tail[] = IMAGE_HELLO_TAIL;
    uint32_t size = 0;

    for (uint32_t i = 0; i < sizeof head - 1u; i++)
        to[size++] = (uint8_t)head[i];
    for (uint32_t i = 0; i < DIGITS; i++)
        to[size++] = digit((unsigned)header.digest[i / 2u] >> (i % 2u ? 0 : 4));
    for (uint32_t i = 0; i < sizeof tail - 1u; i++)
        to[size++] = (uint8_t)tail[i];
    return size;
}

#if IMAGE_SELF_TESTS > 0
static void print(const char *text)
{
    while (*text != '\0')
        uart_put((uint8_t)*text++);
}

static void print_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        uart_put(digit(value >> shift));
}

/* A line: how many inputs, the CRC-32 of all their outputs, and that of the reference. */
static void self_test(void)
{
    uint32_t crc = ~0u;

    for (uint32_t i = 0; i < IMAGE_SELF_TESTS; i++) {
        IMAGE_RESET(&device.model);
        run(self_test_inputs + i * IMAGE_IN_SIZE);
        crc = protocol_crc(crc, (const uint8_t *)device.answer.numbers, OUT_BYTES);
    }
    print("edgeternary self test: inputs ");
    print_hex(IMAGE_SELF_TESTS);
    print(" outputs ");
    print_hex(~crc);
    print(" reference ");
    print_hex(IMAGE_SELF_TEST_CRC);
    print(~crc == IMAGE_SELF_TEST_CRC ? " ok\n" : " WRONG\n");
    IMAGE_RESET(&device.model);
}
#endif

int main(void)
{
    protocol_t *link = &device.link;

    link->frame = (uint8_t *)device.frame + 2; /* its body is a whole number of words further on */
    link->room = PROTOCOL_ROOM(IN_BYTES);
    link->hello = device.hello;
    link->hello_size = make_hello(device.hello);
    link->input_size = IN_BYTES;
    link->answer_size = OUT_BYTES + IMAGE_CLASS_BYTES;
    link->counts = 1u + IMAGE_LAYERS;
    protocol_open(link);
    IMAGE_RESET(&device.model);
#if IMAGE_SELF_TESTS > 0
    self_test();
#endif
    for (;;)
        protocol_receive(link, uart_get());
}
