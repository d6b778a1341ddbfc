/* The CMSDK APB UART of Arm's MPS boards: data at 0x00, state at 0x04 (bit 0: transmitter full, bit 1: a byte is
   there), control at 0x08 (bit 0: transmitter, bit 1: receiver), divider at 0x10, at least 16. CMSDK technical
   reference manual, DDI 0479, section 4.3. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define DATA REGISTER(UART_BASE + 0x00u)
#define STATE REGISTER(UART_BASE + 0x04u)
#define CONTROL REGISTER(UART_BASE + 0x08u)
#define DIVIDER REGISTER(UART_BASE + 0x10u)

void uart_open(void)
{
    DIVIDER = (UART_HZ + UART_BAUD / 2u) / UART_BAUD;
    CONTROL = 3u;
}

void uart_put(uint8_t byte)
{
    while (STATE & 1u) {
    }
    DATA = byte;
}

uint8_t uart_get(void)
{
    while (!(STATE & 2u)) {
    }
    return (uint8_t)(DATA & 0xffu);
}
