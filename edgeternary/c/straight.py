"""Sums of inputs as straight-line assembly: one addition or subtraction for each weight that is not 0.

A pass loads each input once and adds it to the sums of as many outputs as there are registers. High registers
of a Cortex-M0+ can be added to but not subtracted from, so the negated input is kept beside the input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeternary.c.assembly import note
from edgeternary.c.weights import Codes
from edgeternary.cores import Core
from edgeternary.ir import Type


@dataclass(frozen=True)
class Registers:
    """Registers of the sums of a pass, in ascending order: low ones and high ones."""

    low: tuple[str, ...]
    high: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.low + self.high


HIGH = ("r8", "r9", "r10", "r11", "r12", "lr")
THUMB2 = Registers(("r2", "r3", "r4", "r5", "r6", "r7"), HIGH)
THUMB1 = Registers(("r2", "r3", "r4", "r5", "r6"), HIGH)
REACH1 = 31  # largest offset of a Thumb-1 byte load; that of a halfword load is twice as far
REACH2 = 4095
TERMS = 10  # of a statement in C


def passes(outputs: int, core: Core) -> int:
    """How often all inputs are loaded."""
    return -(-outputs // len((THUMB1 if core.thumb1 else THUMB2).all))


def thumb2(codes: Codes, type: Type) -> list[str]:
    """Assembly of sums[o] = sum w[o] x, weights (out, in) of -1, 0, +1; x in r0, sums in r1."""
    load, size = _load(type), type.dtype.itemsize
    lines = ["push {r0, r1, r4-r11, lr}"]
    for number, block in enumerate(_blocks(codes, THUMB2)):
        lines.append(_said(number * len(THUMB2.all), len(block)))
        lines += [f"mov {name}, #0" for name in THUMB2.all[: len(block)]]
        start = 0
        for i in _used(block):
            offset = i * size - start
            if offset > REACH2:
                lines.append(f"add r0, r0, #{REACH2 + 1 - size}")
                start += REACH2 + 1 - size
                offset = i * size - start
            terms = [
                f"{'add' if code > 0 else 'sub'} {name}, {name}, r1"
                for name, code in zip(THUMB2.all, block[:, i], strict=False)
                if code
            ]
            lines += _lines([f"{load} r1, [r0, #{offset}]", *terms])
        lines.append(note("these sums to memory"))
        lines += ["ldr r1, [sp, #4]", f"stmia r1!, {{{', '.join(THUMB2.all[: len(block)])}}}"]
        lines += ["str r1, [sp, #4]", "ldr r0, [sp]"]
    return [*lines, "add sp, sp, #8", "pop {r4-r11, pc}"]


def thumb1(codes: Codes, type: Type) -> list[str]:
    """The same for a core with 16-bit instructions only."""
    load, size = _load(type).replace("s", ""), type.dtype.itemsize
    extend = ["", "sxtb r1, r1", "sxth r1, r1"][size] if type.signed else ""
    lines = ["push {r4-r7, lr}", *(f"mov r{i}, r{i + 4}" for i in range(4, 8)), "push {r4-r7}"]
    lines.append("push {r0, r1}")
    for number, block in enumerate(_blocks(codes, THUMB1)):
        lines.append(_said(number * len(THUMB1.all), len(block)))
        names = THUMB1.all[: len(block)]
        lines += [f"movs {name}, #0" for name in names if name in THUMB1.low]
        lines += [f"mov {name}, r2" for name in names if name in THUMB1.high]  # r2 is 0
        start = 0
        for i in _used(block):
            while i * size - start > REACH1 * size:
                step = min(i * size - start, 248)
                lines.append(f"adds r0, #{step}")
                start += step
            parts = [f"{load} r1, [r0, #{i * size - start}]", *([extend] if extend else [])]
            pairs = [(name, code) for name, code in zip(names, block[:, i], strict=True) if code]
            if any(code < 0 and name in THUMB1.high for name, code in pairs):
                parts.append("rsbs r7, r1, #0")
            for name, code in pairs:
                if name in THUMB1.high:
                    parts.append(f"add {name}, {'r1' if code > 0 else 'r7'}")
                else:
                    parts.append(f"{'adds' if code > 0 else 'subs'} {name}, {name}, r1")
            lines += _lines(parts)
        lines.append(note("these sums to memory"))
        lines += ["ldr r1, [sp, #4]", f"stmia r1!, {{{', '.join(n for n in names if n in THUMB1.low)}}}"]
        for name in names[len(THUMB1.low) :]:
            lines += [f"mov r2, {name}", "stmia r1!, {r2}"]
        lines += ["str r1, [sp, #4]", "ldr r0, [sp]"]
    lines += ["add sp, #8", "pop {r4-r7}", *(f"mov r{i + 4}, r{i}" for i in range(4, 8))]
    return [*lines, "pop {r4-r7, pc}"]


def statements(codes: Codes) -> Iterator[str]:
    """The same in C, for x and sums."""
    for o, row in enumerate(codes):
        used = np.flatnonzero(row)
        for first in range(0, max(len(used), 1), TERMS):
            terms = "".join(f" {'+' if row[i] > 0 else '-'} x[{i}]" for i in used[first : first + TERMS])
            text = terms.removeprefix(" + ").lstrip() or "0"
            yield f"sums[{o}] {'+=' if first else '='} {text};"


def _said(first: int, count: int) -> str:
    return note(f"sums {first} to {first + count - 1}: each input that they use is loaded once")


def _lines(instructions: Sequence[str]) -> Iterator[str]:
    """Up to four instructions a line."""
    for first in range(0, len(instructions), 4):
        yield "; ".join(instructions[first : first + 4])


def _load(type: Type) -> str:
    return "ldr" + ("s" if type.signed else "") + ("b" if type.dtype.itemsize == 1 else "h")


def _blocks(codes: Codes, registers: Registers) -> Sequence[Codes]:
    count = len(registers.all)
    return [codes[first : first + count] for first in range(0, len(codes), count)]


def _used(block: Codes) -> list[int]:
    """Inputs that some output of the block needs."""
    return np.flatnonzero(np.any(block, axis=0)).tolist()
