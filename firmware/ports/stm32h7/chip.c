/* STM32H743: 400 MHz from the internal oscillator (64 MHz / 8 x 100 / 2) at voltage scale 1, buses at 200 and
   100 MHz, serial ports on the oscillator itself. RM0433, sections 4.9, 6.8 and 8.7. */
#include "gpio.h"
#include "board.h"
#include "chip.h"
#include "registers.h"

#define RCC 0x58024400u
#define PWR 0x58024800u
#define PWR_CR3 REGISTER(PWR + 0x0cu)
#define PWR_D3CR REGISTER(PWR + 0x18u)
#define FLASH_ACR REGISTER(0x52002000u)
#define GPIO 0x58020000u
#define ICIALLU REGISTER(0xe000ef50u)
#define CCR REGISTER(0xe000ed14u)

static void power_open(void)
{
    PWR_CR3 = 1u << 1; /* the linear regulator, no bypass; written once, before the scale can change */
    await(PWR + 0x04u, 1u << 13, 1u << 13);
    PWR_D3CR = 3u << 14; /* scale 1 */
    await(PWR + 0x18u, 1u << 13, 1u << 13);
}

static void clock_open(void)
{
    REGISTER(RCC + 0x28u) = 8u << 4; /* PLL1 from the 64 MHz oscillator: 8 MHz come in */
    REGISTER(RCC + 0x2cu) = 1u << 16 | 3u << 2; /* its output P, input of 8 to 16 MHz, wide range */
    REGISTER(RCC + 0x30u) = 1u << 24 | 1u << 16 | 1u << 9 | 99u; /* R, Q, P = 2, N = 100, each less one */
    REGISTER(RCC + 0x00u) |= 1u << 24;
    await(RCC + 0x00u, 1u << 25, 1u << 25);
    FLASH_ACR = 2u << 4 | 2u; /* two wait states, programming delay for 200 MHz */
    REGISTER(RCC + 0x18u) = 4u << 4 | 8u; /* D1: APB3 / 2, AHB / 2 */
    REGISTER(RCC + 0x1cu) = 4u << 8 | 4u << 4; /* D2: APB2 / 2, APB1 / 2 */
    REGISTER(RCC + 0x20u) = 4u << 4; /* D3: APB4 / 2 */
    REGISTER(RCC + 0x10u) = 3u; /* the core runs on the PLL */
    await(RCC + 0x10u, 7u << 3, 3u << 3);
    REGISTER(RCC + 0x54u) = 3u; /* USART 2 to 8 run on the 64 MHz oscillator */
}

void chip_open(void)
{
    power_open();
    clock_open();
    ICIALLU = 0u;
    __asm volatile("dsb\n\tisb" ::: "memory");
    CCR |= 1u << 17; /* instruction cache */
    __asm volatile("dsb\n\tisb" ::: "memory");
    REGISTER(UART_ENABLE) |= 1u << UART_ENABLE_BIT;
    gpio_alternate(GPIO, RCC + 0xe0u, 0u, UART_TX_PORT, UART_TX_PIN, UART_ALTERNATE);
    gpio_alternate(GPIO, RCC + 0xe0u, 0u, UART_RX_PORT, UART_RX_PIN, UART_ALTERNATE);
}
