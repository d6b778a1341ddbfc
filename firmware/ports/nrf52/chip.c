/* nRF52840: 64 MHz, with the crystal running and the instruction cache on. nRF52840 product specification
   1.7, sections 4.3, 5.4 and 6.9. */
#include "pins.h"
#include "chip.h"

#define NVMC_ICACHECNF REGISTER(0x4001e540u)

void chip_open(void)
{
    NVMC_ICACHECNF = 1u;
    nordic_crystal(0x40000000u);
    nordic_pins(0x50000504u);
}
