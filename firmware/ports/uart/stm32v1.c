/* USART of STM32 F1, F2 and F4: RM0090, section 30.6. Its receiver holds one byte beside the one that comes in. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define SR REGISTER(UART_BASE + 0x00u)
#define DR REGISTER(UART_BASE + 0x04u)
#define BRR REGISTER(UART_BASE + 0x08u)
#define CR1 REGISTER(UART_BASE + 0x0cu)

enum { OVERRUN = 1 << 3, RECEIVED = 1 << 5, ROOM = 1 << 7, ON = 1 << 13 | 1 << 3 | 1 << 2 };

void uart_open(void)
{
    BRR = (UART_HZ + UART_BAUD / 2u) / UART_BAUD; /* 12.4 bits, sixteen samples a bit */
    CR1 = ON;
}

void uart_put(uint8_t byte)
{
    while (!(SR & ROOM)) {
    }
    DR = byte;
}

/* Reading the data after the state clears both flags. */
uint8_t uart_get(void)
{
    while (!(SR & (RECEIVED | OVERRUN))) {
    }
    return (uint8_t)(DR & 0xffu);
}
