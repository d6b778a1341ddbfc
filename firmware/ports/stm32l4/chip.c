/* STM32L475, L476: 80 MHz from the internal oscillator (16 MHz x 10 / 2), flash read through the ART accelerator.
   RM0351, sections 3.7 and 6.4. The regulator starts in range 1, which allows 80 MHz. */
#include "gpio.h"
#include "board.h"
#include "chip.h"
#include "registers.h"

#define RCC 0x40021000u
#define RCC_CR REGISTER(RCC + 0x00u)
#define RCC_CFGR REGISTER(RCC + 0x08u)
#define RCC_PLLCFGR REGISTER(RCC + 0x0cu)
#define FLASH_ACR REGISTER(0x40022000u)
#define GPIO 0x48000000u

void chip_open(void)
{
    FLASH_ACR = 7u << 8 | 4u; /* prefetch, both caches, four wait states */
    RCC_CR |= 1u << 8; /* HSI16 */
    await(RCC + 0x00u, 1u << 10, 1u << 10);
    RCC_PLLCFGR = 1u << 24 | 10u << 8 | 2u; /* output R on (R = 2 is 0), N, M = 1 is 0, from HSI16 */
    RCC_CR |= 1u << 24;
    await(RCC + 0x00u, 1u << 25, 1u << 25);
    RCC_CFGR |= 3u; /* the core runs on the PLL */
    await(RCC + 0x08u, 3u << 2, 3u << 2);
    REGISTER(UART_ENABLE) |= 1u << UART_ENABLE_BIT;
    gpio_alternate(GPIO, RCC + 0x4cu, 0u, UART_TX_PORT, UART_TX_PIN, UART_ALTERNATE);
    gpio_alternate(GPIO, RCC + 0x4cu, 0u, UART_RX_PORT, UART_RX_PIN, UART_ALTERNATE);
}
