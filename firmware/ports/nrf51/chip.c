/* nRF51822: 16 MHz from the crystal; no wait states. nRF51 series reference manual 3.0, chapters 13 and 14. */
#include "pins.h"
#include "chip.h"

void chip_open(void)
{
    nordic_crystal(0x40000000u);
    nordic_pins(0x50000504u);
}
