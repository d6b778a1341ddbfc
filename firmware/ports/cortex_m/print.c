/* The CMSDK APB UART of Arm's MPS2 boards: data at 0x00, state at 0x04 (bit 0: transmitter full), control at
   0x08 (bit 0: transmitter on), baud divider at 0x10. CMSDK technical reference manual, DDI 0479, section 4.3. */
#include <stdint.h>

#include "port.h"

#define UART ((volatile uint32_t *)UART_BASE)

enum { DATA = 0, STATE = 1, CONTROL = 2, DIVIDER = 4 };

static void print_byte(char byte)
{
    UART[DIVIDER] = 16u;
    UART[CONTROL] = 1u;
    while (UART[STATE] & 1u) {
    }
    UART[DATA] = (uint32_t)(unsigned char)byte;
}

void port_print(const char *text)
{
    while (*text != '\0')
        print_byte(*text++);
}

void port_print_hex(uint32_t value)
{
    port_print("0x");
    for (int shift = 28; shift >= 0; shift -= 4)
        print_byte("0123456789abcdef"[(value >> shift) & 15u]);
}
