/* USART of STM32 F0, F3, F7, L4, H7 and U5: RM0351, section 40.8. An overrun stops the receiver until it is
   cleared. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define CR1 REGISTER(UART_BASE + 0x00u)
#define BRR REGISTER(UART_BASE + 0x0cu)
#define ISR REGISTER(UART_BASE + 0x1cu)
#define ICR REGISTER(UART_BASE + 0x20u)
#define RDR REGISTER(UART_BASE + 0x24u)
#define TDR REGISTER(UART_BASE + 0x28u)

enum { OVERRUN = 1 << 3, RECEIVED = 1 << 5, ROOM = 1 << 7, ON = 1 << 3 | 1 << 2 | 1 << 0 };

void uart_open(void)
{
    BRR = (UART_HZ + UART_BAUD / 2u) / UART_BAUD; /* sixteen samples a bit */
    CR1 = ON;
}

void uart_put(uint8_t byte)
{
    while (!(ISR & ROOM)) {
    }
    TDR = byte;
}

uint8_t uart_get(void)
{
    while (!(ISR & RECEIVED))
        if (ISR & OVERRUN)
            ICR = OVERRUN;
    return (uint8_t)(RDR & 0xffu);
}
