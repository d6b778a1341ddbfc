/* The second boot stage: what the boot ROM loads from the first 256 bytes of flash to RAM and runs, if the last
   four are their CRC (the build puts it there). It sets the flash interface up for execution in place and
   goes on to the vector table after it. RP2040 datasheet, sections 2.8.1.3 and 4.10; W25Q16JV data sheet, 8.2.

   If the flash takes four-bit transfers (bit QE), reads are EBh in continuous mode: address and mode byte
   0xa0 on four lines, four clocks of pause. Otherwise 03h on one line. The flash runs at half the core's clock. */
#include <stdint.h>

#include "registers.h"

#define SSI(offset) REGISTER(0x18000000u + (offset))
#define CTRLR0 SSI(0x00u)
#define CTRLR1 SSI(0x04u)
#define SSIENR SSI(0x08u)
#define SER SSI(0x10u)
#define BAUDR SSI(0x14u)
#define SR SSI(0x28u)
#define DR0 SSI(0x60u)
#define RX_SAMPLE_DLY SSI(0xf0u)
#define SPI_CTRLR0 SSI(0xf4u)
#define VTOR REGISTER(0xe000ed08u)
#define IMAGE 0x10000100u

enum { FOUR_LINES = 2 << 21, WORDS = 31 << 16, BYTES = 7 << 16, READ = 3 << 8 }; /* CTRLR0 */
enum { ADDRESS_32 = 8 << 2, ADDRESS_24 = 6 << 2, PAUSE = 4 << 11, COMMAND = 2 << 8, LINES_4 = 2, ADDRESS_4 = 1 };
enum { STATUS_2 = 0x35, READ_1 = 0x03, READ_4 = 0xeb, CONTINUOUS = 0xa0, QE = 1 << 1 };

/* The stage runs where the ROM put it: it may call nothing beyond these 252 bytes. */
#define PART static __attribute__((noinline, section(".boot.parts")))

PART void sent(void)
{
    while ((SR & 5u) != 4u) { /* its queue is empty and it is not busy */
    }
}

PART void set_up(uint32_t control, uint32_t transfers)
{
    SSIENR = 0u;
    CTRLR0 = control;
    CTRLR1 = 0u;
    SPI_CTRLR0 = transfers;
    SSIENR = 1u;
}

__attribute__((section(".boot"), noreturn, used)) void boot_stage(void)
{
    uint32_t status;

    SSIENR = 0u;
    BAUDR = 2u;
    RX_SAMPLE_DLY = 1u;
    SER = 1u;
    set_up(BYTES, 0u);
    DR0 = STATUS_2;
    DR0 = 0u;
    sent();
    (void)DR0;
    status = DR0;
    if (status & QE) {
        set_up(FOUR_LINES | WORDS | READ, ADDRESS_32 | PAUSE | COMMAND | ADDRESS_4);
        DR0 = READ_4;
        DR0 = CONTINUOUS; /* address 0, and the mode byte in the low eight bits */
        sent();
        set_up(FOUR_LINES | WORDS | READ, (uint32_t)CONTINUOUS << 24 | ADDRESS_32 | PAUSE | LINES_4);
    } else {
        set_up(WORDS | READ, (uint32_t)READ_1 << 24 | ADDRESS_24 | COMMAND);
    }
    VTOR = IMAGE;
    __asm volatile("msr msp, %0\n\t"
                   "bx %1" ::"r"(REGISTER(IMAGE)),
                   "r"(REGISTER(IMAGE + 4u))
                   : "memory");
    __builtin_unreachable();
}
