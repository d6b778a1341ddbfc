"""Routines of products as assembly for cores without DSP instructions; `wide` ones have those of Thumb-2.

    r0  weights, which the routine returns the end of      r1  inputs
    r2  the number of inputs, then an input                r3  sums

Sums stay in registers while all inputs of a run go by; a loop takes several inputs at once, then one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeternary.c.assembly import note
from edgeternary.ir import Type

HIGH = ("r8", "r9", "r10", "r11", "r12", "lr")
MOST_LOADED = 4  # words of one LDM: r3 to r6
SPREAD = 4  # registers of sums that a word of nibbles serves
REACH = 32  # bytes that a load of Thumb-1 reaches


@dataclass(frozen=True)
class Routine:
    """A routine.

    sums           registers
    inside(i)      instructions for input i of the unrolled loop
    before, after  instructions
    bump           bytes of weights for an input, where a load does not pass over them
    """

    sums: Sequence[str]
    unrolled: int
    inside: Callable[[int], list[str]]
    before: Sequence[str]
    after: Sequence[str]
    bump: int = 0

    def lines(self) -> list[str]:
        """The whole routine."""
        low = [name for name in self.sums if name not in HIGH]
        lines = ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
        lines += ["adds r4, r1, r2", f"movs r5, #{self.unrolled - 1}", "bics r2, r5", "adds r5, r1, r2"]
        lines += ["push {r3-r5}", *self.before]  # sums, end of inputs, end of those that the loop takes
        lines += ["movs r3, #0", *(f"mov {name}, r3" for name in self.sums if name in HIGH)]
        lines += [f"movs {name}, #0" for name in low]
        if self.unrolled > 1:
            lines += ["ldr r3, [sp, #8]", "cmp r1, r3", "beq 2f", note(f"{self.unrolled} inputs"), "1:"]
            for i in range(self.unrolled):
                lines += self.inside(i)
            lines += self._next(self.unrolled, "ldr r3, [sp, #8]", "1b")
        lines += ["2:", "ldr r3, [sp, #4]", "cmp r1, r3", "beq 4f", note("one input"), "3:"]
        lines += [*self.inside(0), *self._next(1, "ldr r3, [sp, #4]", "3b"), "4:"]
        lines += [note("sums to memory"), "ldr r2, [sp]", *self.after, "add sp, #12", "pop {r4-r7}"]
        return [*lines, *(f"mov r{i + 4}, r{i}" for i in range(4, 8)), "pop {r4-r7, pc}"]

    def _next(self, inputs: int, end: str, label: str) -> list[str]:
        bump = [f"adds r0, #{inputs * self.bump}"] if self.bump else []
        return [*bump, f"adds r1, #{inputs}", end, "cmp r1, r3", f"bne {label}"]


def words(registers: int, x: Type, wide: bool) -> list[str]:
    """Words of two lanes, up to six: S_k += w_k * x, then both lanes of each are added to sums."""
    even = registers % MOST_LOADED == 0 or registers == MOST_LOADED + 1
    most = MOST_LOADED if even else MOST_LOADED - 1

    def inside(i: int) -> list[str]:
        lines = _input(i, x, wide)
        for first in range(0, registers, most):
            names = [f"r{3 + k}" for k in range(min(most, registers - first))]
            lines.append(f"ldmia r0!, {{{', '.join(names)}}}")
            lines += _added(names, HIGH[first:], wide)
        return lines

    sums = HIGH[:registers]
    return Routine(sums, 4, inside, (), _apart(sums)).lines()


def nibbles(registers: int, x: Type, wide: bool) -> list[str]:
    """One or two words of eight nibbles w + 8; the mask 0x000f000f, r7, spreads two of them at a time."""
    sums = (*HIGH, "r5", "r6")[:registers]

    def inside(i: int) -> list[str]:
        lines = _input(i, x, wide)
        for word in range(registers // SPREAD):
            lines.append("ldmia r0!, {r3}")
            for k in (1, 2, 3, 0):  # the last one may change the word
                if k and wide:
                    spread = [f"and r4, r7, r3, lsr #{4 * k}"]
                else:
                    spread = [f"lsrs r4, r3, #{4 * k}", "ands r4, r7"] if k else ["ands r3, r7"]
                lines += [*spread, *_added(["r4" if k else "r3"], sums[SPREAD * word + k :], wide)]
        return lines

    mask = ("movs r7, #15", "lsls r3, r7, #16", "orrs r7, r3")
    return Routine(sums, 2, inside, mask, _apart(sums)).lines()


def octets(registers: int, x: Type, wide: bool) -> list[str]:
    """Bytes w + 128, up to ten: S_k += w_k * x."""
    sums = ("r4", "r5", "r6", "r7", *HIGH)[:registers]
    unrolled = 4 if 4 * registers <= REACH else 2

    def inside(i: int) -> list[str]:
        lines = _input(i, x, wide)
        for k in range(registers):
            lines += [f"ldrb r3, [r0, #{i * registers + k}]", *_added(["r3"], sums[k:], wide)]
        return lines

    low = [name for name in sums if name not in HIGH]
    after = [f"stmia r2!, {{{', '.join(low)}}}"]
    for name in sums[len(low) :]:
        after += [f"mov r3, {name}", "stmia r2!, {r3}"]
    return Routine(sums, unrolled, inside, (), after, registers).lines()


def _input(i: int, x: Type, wide: bool) -> list[str]:
    if x.signed and wide:
        return [f"ldrsb r2, [r1, #{i}]"]
    return [f"ldrb r2, [r1, #{i}]", *(["sxtb r2, r2"] if x.signed else [])]


def _added(names: Sequence[str], sums: Sequence[str], wide: bool) -> list[str]:
    """The products of some registers and the input, each to its sum."""
    pairs = list(zip(names, sums, strict=False))
    if wide:
        return [f"mla {total}, {name}, r2, {total}" for name, total in pairs]
    adds = [f"add {t}, {name}" if t in HIGH else f"adds {t}, {t}, {name}" for name, t in pairs]
    return [*(f"muls {name}, r2, {name}" for name in names), *adds]


def _apart(sums: Sequence[str]) -> list[str]:
    """Both lanes of each, added to sums in memory."""
    lines = []
    for name in sums:
        lines += [f"mov r3, {name}", "sxth r4, r3", "subs r3, r3, r4", "asrs r3, r3, #16"]
        lines += [
            "ldr r1, [r2]",
            "ldr r7, [r2, #4]",
            "adds r1, r1, r4",
            "adds r7, r7, r3",
            "stmia r2!, {r1, r7}",
        ]
    return lines
