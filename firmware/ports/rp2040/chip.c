/* RP2040: 125 MHz from the 12 MHz crystal (x 125 / 6 / 2). RP2040 datasheet, sections 2.14 to 2.19 and 4.2. */
#include "board.h"
#include "chip.h"
#include "registers.h"

#define CLOCKS 0x40008000u
#define RESETS 0x4000c000u
#define IO_BANK0 0x40014000u
#define XOSC 0x40024000u
#define PLL 0x40028000u
#define CLEAR 0x3000u /* the same register, where ones clear bits: section 2.1.2 */

enum { NEEDED = 3 << 22 | 1 << 12 | 1 << 8 | 1 << 5 }; /* UARTs, PLL of the system, pads and functions of pins */

static void crystal_open(void)
{
    REGISTER(XOSC + 0x0cu) = 47u; /* a millisecond to start, in units of 256 clocks */
    REGISTER(XOSC + 0x00u) = 0xfabu << 12 | 0xaa0u;
    await(XOSC + 0x04u, 1u << 31, 1u << 31);
    REGISTER(CLOCKS + 0x30u) = 2u; /* the reference is the crystal, */
    await(CLOCKS + 0x38u, 4u, 4u);
    REGISTER(CLOCKS + 0x3cu) = 0u; /* and the system runs on the reference */
    await(CLOCKS + 0x44u, 1u, 1u);
}

static void pll_open(void)
{
    REGISTER(PLL + 0x00u) = 1u; /* 12 MHz go in undivided */
    REGISTER(PLL + 0x08u) = 125u;
    REGISTER(PLL + CLEAR + 0x04u) = 1u << 5 | 1u << 0; /* power for the oscillator and the rest */
    await(PLL + 0x00u, 1u << 31, 1u << 31);
    REGISTER(PLL + 0x0cu) = 6u << 16 | 2u << 12;
    REGISTER(PLL + CLEAR + 0x04u) = 1u << 3; /* power for the dividers that follow it */
    REGISTER(CLOCKS + 0x3cu) = 1u; /* the system runs on the PLL */
    await(CLOCKS + 0x44u, 2u, 2u);
    REGISTER(CLOCKS + 0x48u) = 1u << 11; /* and the peripherals on the system's clock */
}

void chip_open(void)
{
    REGISTER(RESETS + CLEAR + 0x00u) = NEEDED;
    await(RESETS + 0x08u, NEEDED, NEEDED);
    crystal_open();
    pll_open();
    REGISTER(IO_BANK0 + 8u * UART_TX_PIN + 4u) = UART_ALTERNATE;
    REGISTER(IO_BANK0 + 8u * UART_RX_PIN + 4u) = UART_ALTERNATE;
}
