/* Vector table and reset for any Cortex-M. The linker script supplies the addresses. */
#include <stdint.h>

#include "port.h"

extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

#define CPACR (*(volatile uint32_t *)0xe000ed88u)

int main(void);
void Reset_Handler(void);
void fault(const uint32_t *frame);
void Fault_Handler(void);

typedef struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors_t;

__attribute__((section(".vectors"), used)) const vectors_t vectors = {
    stack_top,
    { Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, 0, 0,
      0, Fault_Handler, Fault_Handler, 0, Fault_Handler, Fault_Handler },
};

void Reset_Handler(void)
{
    const uint32_t *from = data_load;

#if defined(__ARM_FEATURE_MVE)
    CPACR |= 0xfu << 20; /* coprocessors 10 and 11, the vector registers; before any code that uses them */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0u;
    port_exit(main());
}

/* An exception frame holds r0-r3, r12, lr, pc, xpsr. It lies on the stack that has just been in use. */
__attribute__((naked)) void Fault_Handler(void)
{
    __asm volatile("mov r0, sp\n\t"
                   "bl fault");
}

void fault(const uint32_t *frame)
{
    port_print("fault at pc ");
    port_print_hex(frame[6]);
    port_print(", called from ");
    port_print_hex(frame[5]);
    port_print("\n");
    port_exit(1);
}
