/* PrimeCell UART PL011: DDI 0183, section 3.3. Its FIFOs hold 16 bytes, or 32 on the RP2040. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define DR REGISTER(UART_BASE + 0x00u)
#define FR REGISTER(UART_BASE + 0x18u)
#define IBRD REGISTER(UART_BASE + 0x24u)
#define FBRD REGISTER(UART_BASE + 0x28u)
#define LCR_H REGISTER(UART_BASE + 0x2cu)
#define CR REGISTER(UART_BASE + 0x30u)

/* The divider is clock / (16 baud) in 16.6 bits. */
#define DIVIDER ((4u * UART_HZ + UART_BAUD / 2u) / UART_BAUD)

enum { EMPTY = 1 << 4, FULL = 1 << 5, EIGHT_BITS = 3 << 5, FIFOS = 1 << 4, ON = 1 << 9 | 1 << 8 | 1 << 0 };

void uart_open(void)
{
    IBRD = DIVIDER >> 6;
    FBRD = DIVIDER & 63u;
    LCR_H = EIGHT_BITS | FIFOS; /* also takes over the divider */
    CR = ON;
}

void uart_put(uint8_t byte)
{
    while (FR & FULL) {
    }
    DR = byte;
}

uint8_t uart_get(void)
{
    while (FR & EMPTY) {
    }
    return (uint8_t)(DR & 0xffu);
}
