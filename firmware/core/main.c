/* A model with a serial port: what every image for a board runs. image.h names model, board and sizes. */
#include <stddef.h>

#include "header.h"
#include "image.h"
#include "chip.h"
#include "protocol.h"
#include "self_test.h"

#define IN_BYTES (IMAGE_IN_SIZE * sizeof(IMAGE_IN))
#define OUT_BYTES (IMAGE_OUT_SIZE * sizeof(IMAGE_OUT))
#define DIGITS 16u /* of the digest, that hello shows */

typedef struct {
    IMAGE_OUT numbers[IMAGE_OUT_SIZE];
    uint8_t largest[2]; /* the index of the largest number, IMAGE_CLASS_BYTES of it */
} answer_t;

static struct {
    protocol_t link;
    IMAGE_MODEL model;
    answer_t answer;
    uint32_t counts[1u + IMAGE_LAYERS]; /* clocks of the whole, then of the layers */
    uint32_t last; /* when the last layer was done */
    uint32_t frame[(2u + PROTOCOL_ROOM(IN_BYTES) + 3u) / 4u];
    uint8_t hello[sizeof IMAGE_HELLO_HEAD - 1u + DIGITS + sizeof IMAGE_HELLO_TAIL - 1u];
} device;

/* The generated code calls this after each layer. */
void edgeternary_tap(unsigned index, const void *value);

void edgeternary_tap(unsigned index, const void *value)
{
    const uint32_t now = cycles_now();

    (void)value;
    device.counts[1u + index] = now - device.last;
    device.last = now;
}

static void run(const IMAGE_IN *input)
{
    const uint32_t start = cycles_now();

    device.last = start;
    IMAGE_RUN(&device.model, input, device.answer.numbers);
    device.counts[0] = cycles_now() - start;
}

void device_put(protocol_t *link, uint8_t byte)
{
    (void)link;
    uart_put(byte);
}

const uint8_t *device_run(protocol_t *link, const uint8_t *input)
{
    const IMAGE_OUT *numbers = device.answer.numbers;
    uint32_t best = 0;

    (void)link;
    run((const IMAGE_IN *)(const void *)input);
    for (uint32_t i = 1; i < IMAGE_OUT_SIZE; i++)
        if (numbers[i] > numbers[best])
            best = i;
    device.answer.largest[0] = (uint8_t)(best & 0xffu);
    device.answer.largest[1] = (uint8_t)((best >> 8) & 0xffu);
    return (const uint8_t *)&device.answer;
}

void device_reset(protocol_t *link)
{
    (void)link;
    IMAGE_RESET(&device.model);
}

uint32_t device_count(const protocol_t *link, uint32_t index)
{
    (void)link;
    return device.counts[index];
}

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
