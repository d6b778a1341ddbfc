/* Clocks of the core: DWT's counter (Armv7-M reference manual DDI 0403, C1.8) where it counts, SysTick with an
   interrupt every 2^24 clocks where it does not: Armv6-M has none, and emulators may not. */
#include "chip.h"
#include "registers.h"

#define DEMCR REGISTER(0xe000edfcu) /* bit 24: trace on */
#define DWT_CTRL REGISTER(0xe0001000u) /* bit 0: count */
#define DWT_CYCCNT REGISTER(0xe0001004u)
#define DWT_LAR REGISTER(0xe0001fb0u) /* Cortex-M7: takes the key before the others can be written */
#define SYST_CSR REGISTER(0xe000e010u) /* bits 2..0: clock of the core, interrupt, on */
#define SYST_RVR REGISTER(0xe000e014u)
#define SYST_CVR REGISTER(0xe000e018u)
#define WRAP 0x1000000u

void SysTick_Handler(void);

static volatile uint32_t wraps;
static uint32_t counts; /* DWT does */

void SysTick_Handler(void)
{
    wraps++;
}

void cycles_open(void)
{
#if defined(__ARM_ARCH) && __ARM_ARCH >= 7
    uint32_t before;

    DEMCR |= 1u << 24;
    DWT_LAR = 0xc5acce55u;
    DWT_CTRL |= 1u;
    before = DWT_CYCCNT;
    __asm volatile("nop\n\tnop\n\tnop\n\tnop");
    counts = DWT_CYCCNT != before;
#endif
    if (counts)
        return;
    SYST_RVR = WRAP - 1u;
    SYST_CVR = 0u;
    SYST_CSR = 7u;
}

uint32_t cycles_now(void)
{
    uint32_t high, low;

#if defined(__ARM_ARCH) && __ARM_ARCH >= 7
    if (counts)
        return DWT_CYCCNT;
#endif
    do {
        high = wraps;
        low = SYST_CVR;
    } while (high != wraps);
    return high * WRAP + (WRAP - 1u - low);
}
