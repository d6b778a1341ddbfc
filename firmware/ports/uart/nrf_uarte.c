/* UARTE of nRF52 and nRF53, which moves bytes by DMA: nRF52840 product specification 1.7, section 6.34. Transfers
   of one byte; the receiver holds four more until the next transfer begins. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define TASKS_STARTRX REGISTER(UART_BASE + 0x000u)
#define TASKS_STARTTX REGISTER(UART_BASE + 0x008u)
#define EVENTS_ENDRX REGISTER(UART_BASE + 0x110u)
#define EVENTS_ENDTX REGISTER(UART_BASE + 0x120u)
#define ENABLE REGISTER(UART_BASE + 0x500u)
#define PSEL_RTS REGISTER(UART_BASE + 0x508u)
#define PSEL_TXD REGISTER(UART_BASE + 0x50cu)
#define PSEL_CTS REGISTER(UART_BASE + 0x510u)
#define PSEL_RXD REGISTER(UART_BASE + 0x514u)
#define BAUDRATE REGISTER(UART_BASE + 0x524u)
#define RXD_PTR REGISTER(UART_BASE + 0x534u)
#define RXD_MAXCNT REGISTER(UART_BASE + 0x538u)
#define TXD_PTR REGISTER(UART_BASE + 0x544u)
#define TXD_MAXCNT REGISTER(UART_BASE + 0x548u)

#define NO_PIN 0xffffffffu

#if UART_BAUD == 115200
#define RATE 0x01d60000u
#elif UART_BAUD == 230400
#define RATE 0x03b00000u
#elif UART_BAUD == 460800
#define RATE 0x07400000u
#elif UART_BAUD == 921600
#define RATE 0x0f000000u
#elif UART_BAUD == 1000000
#define RATE 0x10000000u
#else
#error "the UARTE has 115200, 230400, 460800, 921600 and 1000000 baud"
#endif

static volatile uint8_t received, sent; /* DMA reaches RAM only */

void uart_open(void)
{
    PSEL_RTS = PSEL_CTS = NO_PIN;
    PSEL_TXD = UART_TX_PORT << 5 | UART_TX_PIN;
    PSEL_RXD = UART_RX_PORT << 5 | UART_RX_PIN;
    BAUDRATE = RATE;
    RXD_PTR = (uint32_t)(uintptr_t)&received;
    RXD_MAXCNT = 1u;
    TXD_PTR = (uint32_t)(uintptr_t)&sent;
    TXD_MAXCNT = 1u;
    EVENTS_ENDRX = 0u;
    ENABLE = 8u;
    TASKS_STARTRX = 1u;
}

void uart_put(uint8_t byte)
{
    sent = byte;
    EVENTS_ENDTX = 0u;
    __asm volatile("dmb" ::: "memory");
    TASKS_STARTTX = 1u;
    while (EVENTS_ENDTX == 0u) {
    }
}

uint8_t uart_get(void)
{
    uint8_t byte;

    while (EVENTS_ENDRX == 0u) {
    }
    __asm volatile("dmb" ::: "memory");
    byte = received;
    EVENTS_ENDRX = 0u;
    TASKS_STARTRX = 1u;
    return byte;
}
