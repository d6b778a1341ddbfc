/* The device on stdin and stdout. */
#include <stdio.h>

#include "device.h"

static void put(uint8_t byte)
{
    putchar(byte);
}

int main(void)
{
    device_t device;
    int byte;

    device_open(&device, put);
    while ((byte = getchar()) != EOF) {
        protocol_receive(&device.link, (uint8_t)byte);
        fflush(stdout);
    }
    device_close(&device);
    return 0;
}
