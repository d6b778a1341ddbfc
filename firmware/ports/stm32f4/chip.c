/* STM32F405, F407, F446: 168 MHz from the internal oscillator (16 MHz / 8 x 168 / 2), APB1 at 42 and APB2 at
   84 MHz, flash read through the ART accelerator. RM0090, sections 3.9 and 7.3; RM0390, sections 3.8 and 6.3. The
   regulator starts in scale 1, which allows 168 MHz. */
#include "gpio.h"
#include "board.h"
#include "chip.h"
#include "registers.h"

#define RCC 0x40023800u
#define RCC_CR REGISTER(RCC + 0x00u)
#define RCC_PLLCFGR REGISTER(RCC + 0x04u)
#define RCC_CFGR REGISTER(RCC + 0x08u)
#define FLASH_ACR REGISTER(0x40023c00u)
#define GPIO 0x40020000u

void chip_open(void)
{
    FLASH_ACR = 7u << 8 | 5u; /* prefetch, both caches, five wait states */
    RCC_PLLCFGR = 2u << 28 | 7u << 24 | 168u << 6 | 8u; /* R, Q, N, M; P = 2 is 0 */
    RCC_CR |= 1u << 24;
    await(RCC + 0x00u, 1u << 25, 1u << 25);
    RCC_CFGR = 4u << 13 | 5u << 10 | 2u; /* APB2 / 2, APB1 / 4, the core runs on the PLL */
    await(RCC + 0x08u, 3u << 2, 2u << 2);
    REGISTER(UART_ENABLE) |= 1u << UART_ENABLE_BIT;
    gpio_alternate(GPIO, RCC + 0x30u, 0u, UART_TX_PORT, UART_TX_PIN, UART_ALTERNATE);
    gpio_alternate(GPIO, RCC + 0x30u, 0u, UART_RX_PORT, UART_RX_PIN, UART_ALTERNATE);
}
