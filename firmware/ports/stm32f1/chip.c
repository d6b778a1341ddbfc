/* STM32F100: 24 MHz from the internal oscillator (8 MHz / 2 x 6). RM0041, sections 6.3, 7.2 and 7.3. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define RCC 0x40021000u
#define RCC_CR REGISTER(RCC + 0x00u)
#define RCC_CFGR REGISTER(RCC + 0x04u)
#define RCC_APB2ENR REGISTER(RCC + 0x18u)
#define GPIO(port) (0x40010800u + 0x400u * (port))

enum { OUTPUT_BY_PERIPHERAL = 0xb, INPUT_PULLED = 0x8 };

/* CRL and CRH have four bits for each pin. */
static void pin_mode(uint32_t port, uint32_t pin, uint32_t mode)
{
    const uint32_t address = GPIO(port) + 4u * (pin / 8u), shift = 4u * (pin % 8u);

    RCC_APB2ENR |= 1u << (2u + port);
    REGISTER(GPIO(port) + 0x10u) = 1u << pin; /* BSRR: high, and for an input pulled up */
    REGISTER(address) = (REGISTER(address) & ~(15u << shift)) | mode << shift;
}

void chip_open(void)
{
    RCC_CFGR = 4u << 18; /* PLL: half the internal oscillator, times 6 */
    RCC_CR |= 1u << 24;
    await(RCC + 0x00u, 1u << 25, 1u << 25);
    RCC_CFGR |= 2u; /* the core runs on the PLL */
    await(RCC + 0x04u, 3u << 2, 2u << 2);
    REGISTER(UART_ENABLE) |= 1u << UART_ENABLE_BIT;
    pin_mode(UART_TX_PORT, UART_TX_PIN, OUTPUT_BY_PERIPHERAL);
    pin_mode(UART_RX_PORT, UART_RX_PIN, INPUT_PULLED);
}
