/* Vector table and reset of an image for a board, any Cortex-M. Nothing interrupts but the clock counter: the
   serial port is polled, for a device never works while a request comes in. */
#include <stdint.h>

#include "chip.h"
#include "registers.h"

#define CPACR REGISTER(0xe000ed88u)
#define AIRCR REGISTER(0xe000ed0cu)
#define RESET_REQUEST 0x05fa0004u /* Armv7-M reference manual DDI 0403, B3.2.6: key and SYSRESETREQ */
#define PAINT 0xc5c5c5c5u /* shows afterwards how deep the stack was used */

extern uint32_t stack_bottom[], stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);

typedef struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors_t;

__attribute__((section(".vectors"), used)) const vectors_t vectors = {
    stack_top,
    { Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, 0, 0,
      0, Fault_Handler, Fault_Handler, 0, Fault_Handler, SysTick_Handler },
};

void Reset_Handler(void)
{
    const uint32_t *from = data_load, *top;

#if defined(__ARM_FEATURE_MVE)
    CPACR |= 0xfu << 20; /* coprocessors 10 and 11, the vector registers; before any code that uses them */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    __asm volatile("mov %0, sp" : "=r"(top));
    for (volatile uint32_t *to = stack_bottom; to < top; to++)
        *to = PAINT;
    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0u;
    chip_open();
    uart_open();
    cycles_open();
    (void)main();
    Fault_Handler();
}

/* Starts again: the host finds a device that answers, with its states as after power-up. */
void Fault_Handler(void)
{
    AIRCR = RESET_REQUEST;
    for (;;) {
    }
}
