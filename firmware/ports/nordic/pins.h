/* Pins and crystal of Nordic's chips. The GPIO registers of a port begin with OUT, OUTSET at 0x04 and so on:
   nRF52840 product specification 1.7, section 6.9; nRF51 series reference manual 3.0, chapter 14. */
#ifndef EDGETERNARY_NORDIC_PINS_H
#define EDGETERNARY_NORDIC_PINS_H

#include "board.h"
#include "registers.h"

/* `gpio` is the address of port 0's OUT; port 1 has its registers 0x300 further on. TX rests high. */
static inline void nordic_pins(uint32_t gpio)
{
    const uint32_t out = gpio + 0x300u * UART_TX_PORT, in = gpio + 0x300u * UART_RX_PORT;

    REGISTER(out + 0x04u) = 1u << UART_TX_PIN; /* OUTSET */
    REGISTER(out + 0x14u) = 1u << UART_TX_PIN; /* DIRSET */
    REGISTER(in + 0x1fcu + 4u * UART_RX_PIN) = 3u << 2; /* PIN_CNF: an input, pulled up */
}

/* Starts the crystal, on whose accuracy the baud rate depends. */
static inline void nordic_crystal(uint32_t clock)
{
    REGISTER(clock + 0x100u) = 0u; /* EVENTS_HFCLKSTARTED */
    REGISTER(clock + 0x000u) = 1u; /* TASKS_HFCLKSTART */
    await(clock + 0x100u, 1u, 1u);
}

#endif
