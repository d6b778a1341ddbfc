/* Access to registers of a chip. */
#ifndef EDGETERNARY_REGISTERS_H
#define EDGETERNARY_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* Waits until the bits of `mask` are `value`; some milliseconds, longer than any oscillator takes, and not for ever,
   since an emulator may lack the part that sets them: there each read takes 30 us. */
static inline void await(uint32_t address, uint32_t mask, uint32_t value)
{
    for (uint32_t tries = 20000u; tries > 0u && (REGISTER(address) & mask) != value; tries--) {
    }
}

#endif
