/* Application core of the nRF5340: 128 MHz, with the crystal running and the cache on. It starts in the
   secure state and stays there, so these are the addresses of secure peripherals. nRF5340 product specification
   1.3, sections 4.11, 6.2 and 7.12. */
#include "pins.h"
#include "chip.h"

#define CLOCK 0x50005000u
#define HFCLKCTRL REGISTER(CLOCK + 0x558u) /* 0: 128 MHz, 1: 64 MHz */
#define CACHE_ENABLE REGISTER(0x50001500u)

void chip_open(void)
{
    HFCLKCTRL = 0u;
    CACHE_ENABLE = 1u;
    nordic_crystal(CLOCK);
    nordic_pins(0x50842504u);
}
