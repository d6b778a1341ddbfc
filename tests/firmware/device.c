/* Answers: byte i is the sum of the four input bytes from 4 i on, plus the state, which each run adds one to.
   An input that begins with 0xee has no answer. The frame lies on the heap, where its ends are watched. */
#include "device.h"

#include <stddef.h>
#include <stdlib.h>

static const uint8_t hello[] = "test\nuint8 48 8\nint8 12 1 0\nhost\n0123456789abcdef\nedgeternary test\n";

void device_open(device_t *device, void (*put)(uint8_t byte))
{
    protocol_t *link = &device->link;

    *device = (device_t){ .frame = malloc(PROTOCOL_ROOM(INPUT)), .put = put };
    if (device->frame == NULL)
        abort();
    link->frame = device->frame;
    link->room = PROTOCOL_ROOM(INPUT);
    link->hello = hello;
    link->hello_size = sizeof hello - 1u;
    link->input_size = INPUT;
    link->answer_size = ANSWER;
    link->counts = COUNTS;
    protocol_open(link);
}

void device_close(device_t *device)
{
    free(device->frame);
}

void device_put(protocol_t *link, uint8_t byte)
{
    ((device_t *)(void *)link)->put(byte);
}

const uint8_t *device_run(protocol_t *link, const uint8_t *input)
{
    device_t *device = (device_t *)(void *)link;

    if (input[0] == 0xeeu)
        return NULL;
    for (int i = 0; i < ANSWER; i++) {
        unsigned sum = device->state;
        for (int j = 0; j < 4; j++)
            sum += input[4 * i + j];
        device->answer[i] = (uint8_t)(sum & 0xffu);
    }
    device->state++;
    device->runs++;
    return device->answer;
}

void device_reset(protocol_t *link)
{
    ((device_t *)(void *)link)->state = 0;
}

uint32_t device_count(const protocol_t *link, uint32_t index)
{
    return ((const device_t *)(const void *)link)->runs * 0x01000100u + index;
}
