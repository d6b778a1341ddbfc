"""The bound of the stack: known frames add up, and what has no bound is refused."""

from __future__ import annotations

import pytest

from edgeternary.build.image_stack import FRAME, bound
from edgeternary.errors import EdgeTernaryError
from edgeternary.image.elf import Elf
from edgeternary.toolchains import compilers
from tests.need import need

pytestmark = pytest.mark.system
SCRIPT = """ENTRY(Reset_Handler)
SECTIONS { . = 0x1000; .text : { KEEP(*(.keep)) *(.text*) *(.rodata*) } .data : { *(.data*) *(.bss*) } }
"""
HEAD = """#include <stdint.h>
#define NEVER __attribute__((noinline))
#define UNUSED __attribute__((unused))
void use(volatile uint8_t *p, int n); void Reset_Handler(void); void SysTick_Handler(void);
extern volatile int switched;
volatile int switched;
__attribute__((section(".keep"), used)) void SysTick_Handler(void) { switched++; }
NEVER void use(volatile uint8_t *p, int n) { for (int i = 0; i < n; i++) p[i] = (uint8_t)i; }
"""
DEEP = """
static NEVER void lower(void) { volatile uint8_t b[200]; use(b, 200); }
static NEVER void upper(void) { volatile uint8_t b[4000]; use(b, 4000); lower(); }
static NEVER void other(void) { volatile uint8_t b[1000]; use(b, 1000); }
__attribute__((section(".keep"), used)) void Reset_Handler(void) { upper(); other(); }
"""
RECURSIVE = """
static NEVER int down(int n) { volatile uint8_t b[8]; use(b, 8); return n > 0 ? down(n - 1) + b[0] : 0; }
__attribute__((section(".keep"), used)) void Reset_Handler(void) { switched = down(switched); }
"""
POINTER = """
static NEVER void one(void) { switched = 1; }
static NEVER void two(void) { switched = 2; }
static void (*volatile chosen[2])(void) = { one, two };
__attribute__((section(".keep"), used)) void Reset_Handler(void) { chosen[switched & 1](); switched++; }
"""
ARGUMENT = """
static NEVER void low(void) { volatile uint8_t b[100]; use(b, 100); }
static NEVER void high(void) { volatile uint8_t b[3000]; use(b, 3000); }
__attribute__((naked, noinline)) void turn(int a, int b, int c, int d, void (*finish)(void));
void turn(UNUSED int a, UNUSED int b, UNUSED int c, UNUSED int d, UNUSED void (*finish)(void)) {
    __asm__("push {r4, lr}\\n ldr r3, [sp, #8]\\n blx r3\\n pop {r4, pc}");
}
__attribute__((section(".keep"), used)) void Reset_Handler(void) {
    turn(0, 1, 2, 3, low); turn(0, 1, 2, 3, high); switched++;
}
"""
FAR = """
__attribute__((long_call)) void high(void);
NEVER void high(void) { volatile uint8_t b[3000]; use(b, 3000); }
__attribute__((section(".keep"), used)) void Reset_Handler(void) { high(); switched++; high(); switched++; }
"""
SPILLED = """
static NEVER void one(void) { switched = 1; }
__attribute__((used)) static void (*volatile chosen[1])(void) = { one };
__attribute__((section(".keep"), used, naked)) void Reset_Handler(void) {
    __asm__("push {r4, lr}\\n ldr r4, =chosen\\n ldr r4, [r4]\\n str r4, [sp]\\n ldr r3, [sp]\\n blx r3\\n"
            "pop {r4, pc}\\n .ltorg");
}
"""
NOBODY = """
__attribute__((section(".keep"), used, naked)) void Reset_Handler(void) {
    __asm__("push {r4, lr}\\n ldr r3, [sp, #8]\\n blx r3\\n pop {r4, pc}");
}
"""
BY_NUMBER = """
static NEVER void some(int n) { volatile uint8_t b[n]; use(b, n); }
__attribute__((section(".keep"), used)) void Reset_Handler(void) { some(switched); }
"""

both = pytest.mark.parametrize("compiler", ["gcc", pytest.param("zig", marks=pytest.mark.emulator)])
cores = pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m33"])


def linked(text: str, core: str, compiler: str) -> Elf:
    need("arm-none-eabi-gcc" if compiler == "gcc" else "zig")
    chosen = compilers.for_core(core, compiler)
    return Elf(compilers.build(chosen, {"main.c": HEAD + text}, link_script=SCRIPT))


@both
@cores
def test_frames_add_up(core: str, compiler: str) -> None:
    """4,000 bytes and 200 on the deepest path, some registers, one interrupt."""
    assert 4200 + FRAME <= bound(linked(DEEP, core, compiler)) <= 4200 + FRAME + 120


@both
@cores
def test_a_function_that_is_given_on_the_stack(core: str, compiler: str) -> None:
    """The deeper one of two counts."""
    assert 3000 + FRAME <= bound(linked(ARGUMENT, core, compiler)) <= 3000 + FRAME + 120


@cores
def test_a_function_whose_address_is_in_a_register(core: str) -> None:
    assert 3000 + FRAME <= bound(linked(FAR, core, "gcc")) <= 3000 + FRAME + 120


@both
def test_reads_at_the_stack_pointer_take_nothing(compiler: str) -> None:
    text = """__attribute__((section(".keep"), used)) void Reset_Handler(void) {
        __asm__ volatile("ldm sp, {r1, r3, r12}" ::: "r1", "r3", "r12", "memory"); switched = 1; }
    """
    assert bound(linked(text, "cortex-m4", compiler)) <= FRAME + 40


@both
@cores
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (RECURSIVE, "calls itself"),
        (POINTER, "call through a register"),
        (SPILLED, "call through a register"),
        (NOBODY, "no function is given"),
        (BY_NUMBER, "size is not known"),
    ],
)
def test_what_has_no_bound(text: str, why: str, core: str, compiler: str) -> None:
    with pytest.raises(EdgeTernaryError, match=f"has no bound.*({why})"):
        bound(linked(text, core, compiler))
