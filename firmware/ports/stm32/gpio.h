/* Pins of STM32 chips but the F1: RM0090, section 8.4. Each port has 1 KB of registers. */
#ifndef EDGETERNARY_STM32_GPIO_H
#define EDGETERNARY_STM32_GPIO_H

#include "registers.h"

/* Changes the bits of pin `pin` in a register that holds `width` bits for each pin. */
static inline void gpio_field(uint32_t address, uint32_t pin, uint32_t width, uint32_t value)
{
    const uint32_t shift = pin * width, mask = ((1u << width) - 1u) << shift;

    REGISTER(address) = (REGISTER(address) & ~mask) | value << shift;
}

/* Gives a pin to a peripheral: alternate function `number`, pulled up. `enable` is the register with the clock
   gates of the ports, that of port A at `first`. */
static inline void gpio_alternate(
    uint32_t gpio, uint32_t enable, uint32_t first, uint32_t port, uint32_t pin, uint32_t number)
{
    const uint32_t base = gpio + 0x400u * port;

    REGISTER(enable) |= 1u << (first + port);
    (void)REGISTER(enable); /* the port answers two clocks later */
    gpio_field(base + 0x0cu, pin, 2u, 1u); /* PUPDR: pull-up */
    gpio_field(base + 0x20u + 4u * (pin / 8u), pin % 8u, 4u, number); /* AFRL, AFRH */
    gpio_field(base + 0x00u, pin, 2u, 2u); /* MODER: alternate function */
}

#endif
