/* The model as the device of the protocol; main.c alone includes it. It answers an input with numbers and class, and
   counts its clocks. */
#ifndef EDGETERNARY_MODEL_H
#define EDGETERNARY_MODEL_H

#include "chip.h"
#include "image.h"
#include "link.h"

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
    for (uint32_t i = 1; IMAGE_CLASS_BYTES > 0u && i < IMAGE_OUT_SIZE; i++)
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

#endif
