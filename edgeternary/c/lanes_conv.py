"""A convolution on lanes from its ops to the fields of its template: program, epilogue, destination, cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import cast

import numpy as np

from edgeternary.c import epilogue, lanes_after, lanes_c, lanes_program, lanes_thumb1, lanes_thumb2
from edgeternary.c.epilogue import Affine
from edgeternary.c.kernel import Body, Cost, Match
from edgeternary.c.lanes import Window, part_rows
from edgeternary.c.lanes_after import After, Interval, Reach
from edgeternary.c.lanes_border import Border, border
from edgeternary.c.lanes_program import Group, Matrix, Wide
from edgeternary.c.lanes_walk import Walk
from edgeternary.c.layouts import NATURAL, Lanes, Layout, lane_unit, tall
from edgeternary.c.tables import Table
from edgeternary.ir import Op, Value
from edgeternary.ops import Conv2d

THUMB1_CORES = ("cortex-m0plus",)
DSP_CORES = ("cortex-m4", "cortex-m7")  # a Cortex-M33 may lack it
MIN_TERMS = 16  # with fewer in a lane, taking sums apart costs more than lanes win


@dataclass(frozen=True)
class Sums:
    """The part of a convolution that does not depend on where the result goes."""

    window: Window
    reach: Reach
    after: After
    groups: tuple[Group, ...]
    bound: int


@lru_cache(maxsize=512)
def sums(
    op: Conv2d, follow: Op | None, x: Value, acc: Value, out: Value, layout: Lanes, core: str, packed: bool
) -> Sums | None:
    """None where lanes are too narrow to be worth it, or for `packed` epilogues in all lanes at once."""
    window = Window.of(op, x, acc)
    assert window is not None
    count = len(op.bias)
    factors = lanes_after.signs(follow, count) if packed else _negated(follow, count)
    codes = (op.weights.astype(np.int64) * factors[:, None, None, None]).astype(np.int32)
    reach = Reach.of(op, codes, factors, x, window.padded, layout.bits)
    matrix = Matrix.of(op, codes, x, window, layout)
    if reach.most < min(MIN_TERMS, max(len(words) for words in matrix.words)):
        return None
    low, high = matrix.interval(reach.lo, reach.hi)
    after: After | None = lanes_after.sums(count)
    if packed:
        after = lanes_after.plan(follow, Interval(low, high), reach, out, core in DSP_CORES)
    if after is None:
        return None
    bound = int(max(np.abs(low).max(), np.abs(high).max()))
    choices = (lanes_thumb1 if core in THUMB1_CORES else lanes_thumb2).REGISTERS
    if after.kind in ("scale", "select"):  # these need two registers more
        choices = choices[:1]
    found = lanes_program.groups(matrix, choices, reach.most if after.kind == "sums" else 2**31)
    return Sums(window, reach, after, tuple(found), bound)


def _negated(follow: Op | None, count: int) -> Wide:
    return np.where(epilogue.negated(follow, count), -1, 1).astype(np.int64)


@dataclass(frozen=True)
class Plan:
    """One way to run a convolution: input layout, sums, and how these become the result in `out`.

    store  direct: words of lanes are the result; bytes: their lanes are, one by one; rows: sums pass through
           scratch memory
    """

    match: Match
    layout: Lanes
    out: Layout
    sums: Sums
    store: str
    border: Border | None

    @staticmethod
    def of(match: Match, layout: Lanes, out: Layout) -> Plan | None:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        key = op, match.follow, x, match.outs[0], match.out, layout, match.core.name
        if isinstance(out, Lanes):
            found = sums(*key, True)
            starts = found.window.outputs(layout) if found else None
            edge = (
                border(out, match.out, part_rows(starts, found.window.out[0]), starts)
                if found and starts
                else None
            )
            return Plan(match, layout, out, found, "direct", edge) if found and edge else None
        if out == NATURAL and match.out.type.dtype.itemsize == 1:
            found = sums(*key, True)
            if found:
                return Plan(match, layout, out, found, "bytes", None)
        found = sums(*key, False)
        plan = Plan(match, layout, out, found, "rows", None) if found else None
        return plan if plan and plan.affine.fits() else None

    @property
    def op(self) -> Conv2d:
        return cast(Conv2d, self.match.ops[0])

    @property
    def rows(self) -> int:
        return part_rows(self.parts_at, self.sums.window.out[0])

    @property
    def parts_at(self) -> tuple[int, ...]:
        """First row of each part of the output."""
        starts = self.sums.window.outputs(self.layout)
        assert starts is not None
        return starts

    @property
    def pixels(self) -> int:
        """Pixels of a row of the output."""
        return self.sums.window.out[1]

    @property
    def channels(self) -> int:
        return len(self.op.bias)

    @property
    def parts(self) -> int:
        return max(len(group.parts) for group in self.sums.groups)

    @property
    def scratch(self) -> int:
        return 4 * self.pixels * self.channels * self.parts if self.store == "rows" else 0

    @property
    def start(self) -> int:
        """Words before the window of the first output."""
        down, right = self.layout.top - self.sums.window.pad[0], self.layout.left - self.sums.window.pad[1]
        return (down * self.layout.width + right) * self.match.ins[0].channels

    @cached_property
    def walk(self) -> Walk:
        x, sy, sx = self.match.ins[0], *self.sums.window.stride
        y_row = 0
        if isinstance(self.out, Lanes):
            y_row = 4 * (self.out.width - self.pixels) * self.channels
        size = 1 if self.store == "bytes" else 4
        row = self.pixels * self.channels
        codes = self.store == "bytes"
        x_row = (sy * self.layout.width - sx * self.pixels) * x.channels
        at_once = self.rows if x_row == y_row == 0 and self.store != "rows" else 1
        return Walk(
            outputs=self.pixels * at_once,
            x_step=sx * x.channels,
            x_row=x_row,
            y_step=size * self.channels,
            y_row=y_row,
            apart=row,
            lanes=tuple(part * row for part in self.parts_at) if codes else (),
            low=self.match.out.type.lo if codes else 0,
            unit=lane_unit(self.match.out.type) if codes else 1,
            bits=self.layout.bits,
            ones=self.layout.ones,
            dsp=self.match.core.name in DSP_CORES,
        )

    def body(self) -> Body:
        after, layout, match = self.sums.after, self.layout, self.match
        words, index = lanes_after.table(after, self.sums.groups, self.sums.reach, layout.ones)
        tables = [Table("starts", np.array(words, np.uint32), "in every lane", hexadecimal=True)]
        thumb = lanes_thumb1 if match.core.name in THUMB1_CORES else lanes_thumb2
        groups = [
            {
                "c": lanes_c.body(group, after, self.walk),
                "asm": _blocks(thumb.function(group, after, self.walk)),
                "first": group.first,
                "index": start,
            }
            for group, start in zip(self.sums.groups, index, strict=True)
        ]
        e: object = None
        if after.kind == "sums":
            built = self._epilogue()
            tables += built.tables
            e = built.fields
        place = 0
        if isinstance(self.out, Lanes):
            place = (self.out.top * self.out.width + self.out.left) * self.channels
        row = self.out.size(match.out) // tall(match.out.shape)[0] // _itemsize(self.out, match.out)
        fields = {
            "op": self.op, "x": match.ins[0], "acc": match.outs[0], "out": match.out, "outputs":
            self.channels,
            "groups": groups, "e": e, "store": self.store, "border": self.border, "layout": layout,
            "walk": self.walk, "rows": self.rows, "calls": self.rows * self.pixels // self.walk.outputs,
            "parts_at": self.parts_at, "pixels": self.pixels,
            "start": self.start, "x_row": layout.width * self.sums.window.stride[0] * match.ins[0].channels,
            "place": place, "out_row": row, "parts": self.parts, "unit": lane_unit(match.out.type),
            "ctype": self.out.ctype(match.out), "after": after,
        }  # fmt: skip
        return Body(tables, fields)

    def _epilogue(self) -> epilogue.Epilogue:
        match = self.match
        negate = epilogue.negated(match.follow, self.channels)
        return epilogue.build(match.follow, match.outs[0], match.out, self.out, self.affine, negate)

    @cached_property
    def affine(self) -> Affine:
        """acc = unit * raw + offset, where raw is the sum of the lanes of all parts."""
        reach = self.sums.reach
        start = np.zeros(self.channels, np.int64)
        for group in self.sums.groups:
            for part in range(len(group.parts)):
                start[group.first : group.first + group.size] += lanes_after.part_start(group, part, reach)
        offset = reach.offset - reach.unit * start
        return Affine(reach.unit, offset, 0, 2 * self.sums.bound + 1)

    @cached_property
    def cost(self) -> Cost:
        """Instructions of the assembly, a load of n words taking n + 1 cycles."""
        once, bytes_ = 0.0, 0
        thumb1 = self.match.core.name in THUMB1_CORES
        for group in self.sums.groups:
            work = group.additions + group.words + group.loads + group.skips
            once += (
                work + len(group.parts) * (6 + group.size) + group.size * self._epilogue_cycles(thumb1) + 14
            )
            bytes_ += (
                2 * group.additions
                + 2 * group.loads
                + 3 * group.skips
                + (group.additions // 3 if not thumb1 else 0)
            )
            bytes_ += group.size * (14 if thumb1 else 12) + 80 + 4 * group.size
        pixels = self.rows * self.pixels
        cycles = pixels * once + 40.0 * len(self.sums.groups) * (1 if self.store == "direct" else self.rows)
        values = self.match.out.size
        if self.store == "rows":
            cycles += values * (self.match.core.touch * 1.2 if self.sums.after.kind == "sums" else 4)
        if self.border:
            cycles += 5 * self.border.words
        return Cost(cycles, bytes_, bytes_ * pixels)

    def _epilogue_cycles(self, thumb1: bool) -> float:
        after = self.sums.after
        bytes_ = {"bytes": 2 + 2 * self.layout.lanes, "direct": 1}.get(self.store, 1)
        if after.kind == "shift":
            return bytes_ + (16 if thumb1 else 4)
        if after.kind == "select":
            return bytes_ + 3 * after.levels
        if after.kind == "scale":
            return bytes_ + (30 if thumb1 else 9)
        if after.kind == "count":
            return bytes_ + (3 + 6 * (after.levels - 1) if thumb1 else 2 + 5 * (after.levels - 1))
        return 1


def _itemsize(layout: Layout, value: Value) -> int:
    return 4 if layout.ctype(value) in ("uint32_t", "int32_t") else value.type.dtype.itemsize


def _blocks(lines: list[str]) -> list[list[str]]:
    """Lines of assembly, several instructions a line, in strings that C99 allows."""
    joined: list[str] = []
    for line in lines:
        if (
            joined
            and len(joined[-1]) + len(line) < 90
            and not line.endswith(":")
            and not joined[-1].endswith(":")
        ):
            joined[-1] += "; " + line
        else:
            joined.append(line)
    return [joined[i : i + 40] for i in range(0, len(joined), 40)]
