/* STM32F030: 48 MHz from the internal oscillator (8 MHz / 2 x 12). RM0360, sections 3.5.1 and 7.4. */
#include "gpio.h"
#include "board.h"
#include "chip.h"
#include "registers.h"

#define RCC 0x40021000u
#define RCC_CR REGISTER(RCC + 0x00u)
#define RCC_CFGR REGISTER(RCC + 0x04u)
#define FLASH_ACR REGISTER(0x40022000u)
#define GPIO 0x48000000u

void chip_open(void)
{
    FLASH_ACR = 1u << 4 | 1u; /* prefetch, one wait state */
    RCC_CFGR = 10u << 18; /* PLL: half the internal oscillator, times 12 */
    RCC_CR |= 1u << 24;
    await(RCC + 0x00u, 1u << 25, 1u << 25);
    RCC_CFGR |= 2u; /* the core runs on the PLL */
    await(RCC + 0x04u, 3u << 2, 2u << 2);
    REGISTER(UART_ENABLE) |= 1u << UART_ENABLE_BIT;
    gpio_alternate(GPIO, RCC + 0x14u, 17u, UART_TX_PORT, UART_TX_PIN, UART_ALTERNATE);
    gpio_alternate(GPIO, RCC + 0x14u, 17u, UART_RX_PORT, UART_RX_PIN, UART_ALTERNATE);
}
