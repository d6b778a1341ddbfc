/* UART of nRF51: nRF51 series reference manual 3.0, chapter 29. Its receiver holds six bytes. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define TASKS_STARTRX REGISTER(UART_BASE + 0x000u)
#define TASKS_STARTTX REGISTER(UART_BASE + 0x008u)
#define EVENTS_RXDRDY REGISTER(UART_BASE + 0x108u)
#define EVENTS_TXDRDY REGISTER(UART_BASE + 0x11cu)
#define ENABLE REGISTER(UART_BASE + 0x500u)
#define PSELRTS REGISTER(UART_BASE + 0x508u)
#define PSELTXD REGISTER(UART_BASE + 0x50cu)
#define PSELCTS REGISTER(UART_BASE + 0x510u)
#define PSELRXD REGISTER(UART_BASE + 0x514u)
#define RXD REGISTER(UART_BASE + 0x518u)
#define TXD REGISTER(UART_BASE + 0x51cu)
#define BAUDRATE REGISTER(UART_BASE + 0x524u)

#define NO_PIN 0xffffffffu

/* 2^32 / 16 MHz a baud, of which the register takes the upper 20 bits. */
#define RATE ((uint32_t)((((uint64_t)UART_BAUD << 32) / 16000000u + 0x800u) & 0xfffff000u))

void uart_open(void)
{
    PSELRTS = PSELCTS = NO_PIN;
    PSELTXD = UART_TX_PIN;
    PSELRXD = UART_RX_PIN;
    BAUDRATE = RATE;
    ENABLE = 4u;
    TASKS_STARTTX = 1u;
    TASKS_STARTRX = 1u;
}

void uart_put(uint8_t byte)
{
    EVENTS_TXDRDY = 0u;
    TXD = byte;
    while (EVENTS_TXDRDY == 0u) {
    }
}

uint8_t uart_get(void)
{
    while (EVENTS_RXDRDY == 0u) {
    }
    EVENTS_RXDRDY = 0u; /* before the byte is taken: that makes the next one an event */
    return (uint8_t)(RXD & 0xffu);
}
