/* A small device around protocol.c, for tests on a computer: inputs of 48 bytes, answers of 12. */
#ifndef DEVICE_H
#define DEVICE_H

#include "protocol.h"

enum { INPUT = 48, ANSWER = 12, COUNTS = 3 };

typedef struct {
    protocol_t link; /* first, so that its address is the device's */
    uint8_t *frame, answer[ANSWER], state;
    uint32_t runs;
    void (*put)(uint8_t byte);
} device_t;

void device_open(device_t *device, void (*put)(uint8_t byte));
void device_close(device_t *device);

#endif
