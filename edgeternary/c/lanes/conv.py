"""A convolution on lanes from its ops to the fields of its template: program, epilogue, destination, cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np

from edgeternary.c import epilogue
from edgeternary.c.assembly import joined, statements
from edgeternary.c.kernel import Body, Cost, Match
from edgeternary.c.lanes import bits as lanes_bits
from edgeternary.c.lanes import c99
from edgeternary.c.lanes import cost as lanes_cost
from edgeternary.c.lanes import helium as lanes_helium
from edgeternary.c.lanes import stages as lanes_stages
from edgeternary.c.lanes.after import fields as lanes_fields
from edgeternary.c.lanes.after.compared import Compared
from edgeternary.c.lanes.border import EDGE, Border, border
from edgeternary.c.lanes.cost import BY_ROW, Epilogue
from edgeternary.c.lanes.pace import EVEN, PACES
from edgeternary.c.lanes.summed import Pattern, Sums, assembler, sums
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.lanes.window import part_rows
from edgeternary.c.layouts import NATURAL, Lanes, Layout, Planes, Stripes, Words, lane_unit, tall
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d, Threshold

VECTOR_CALL, VECTOR_FRAME = 60.0, 150  # instructions of a call of a group, and its bytes without the loop
VECTOR_SUM = (
    10,
    4.5,
    3,
)  # instructions of taking a sum out of its words: once, for each part, for each level


@dataclass(frozen=True)
class Plan:
    """One way to run a convolution: input layout, sums, and how these become the result in `out`.

    store  direct: words of lanes are the result; bytes: their lanes are, one by one; planes: rows of results
           pass through scratch memory, to become bit planes; rows: rows of sums do
    routine  outputs of the groups that share a routine for what follows their sums, see `Walk`
    """

    match: Match
    layout: Words
    out: Layout
    sums: Sums
    store: str
    border: Border | None
    routine: int = 0

    @staticmethod
    def of(match: Match, layout: Words, out: Layout) -> Plan | None:
        pattern = Pattern.of(match)
        if isinstance(out, Lanes) and isinstance(layout, Lanes):
            found = sums(pattern, layout, "lanes")
            starts = found.window.outputs(layout) if found else None
            edge = (
                border(out, match.out, part_rows(starts, found.window.out[0]), starts)
                if found and starts
                else None
            )
            return Plan(match, layout, out, found, "direct", edge) if found and edge else None
        if out == NATURAL and match.out.type.dtype.itemsize == 1:
            found = sums(pattern, layout, "bytes")
            if found:
                return Plan(match, layout, out, found, "bytes", None)
        if isinstance(layout, Stripes):
            return None
        if isinstance(out, Planes) and lanes_bits.possible(match.out):
            found = sums(pattern, layout, "lanes")
            if found:
                return Plan(match, layout, out, found, "planes", None)
        found = sums(pattern, layout, "rows")
        plan = Plan(match, layout, out, found, "rows", None) if found else None
        return plan if plan and plan.sums.affine.fits() else None

    def with_routine(self) -> Plan | None:
        """The same in less code: most groups call one routine for what follows their sums.

        None where that is no smaller.
        """
        after = None if self.match.core.vectors else self.sums.after.alike()
        if after is None:
            return None
        sizes = Counter(group.size for group in self.sums.groups)
        plan = replace(self, sums=replace(self.sums, after=after), routine=sizes.most_common(1)[0][0])
        return plan if plan.cost.flash < self.cost.flash else None

    @property
    def op(self) -> Conv2d:
        return cast(Conv2d, self.match.ops[0])

    @property
    def rows(self) -> int:
        height = self.sums.window.out[0]
        return height if isinstance(self.layout, Stripes) else part_rows(self.parts_at, height)

    @property
    def parts_at(self) -> tuple[int, ...]:
        """First row, or column of stripes, of each part of the output."""
        starts = self.sums.window.outputs(self.layout)
        assert starts is not None
        return starts

    @property
    def pixels(self) -> int:
        """Pixels of a row of a part."""
        width = self.sums.window.out[1]
        return part_rows(self.parts_at, width) if isinstance(self.layout, Stripes) else width

    @property
    def channels(self) -> int:
        return len(self.op.bias)

    @property
    def parts(self) -> int:
        return max(len(group.parts) for group in self.sums.groups)

    @property
    def scratch(self) -> int:
        return 4 * self.pixels * self.channels * self.parts if self.store in BY_ROW else 0

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
        codes, part = self.store == "bytes", row
        if isinstance(self.layout, Stripes):
            part, y_row = self.channels, (self.sums.window.out[1] - self.pixels) * self.channels
        x_row = (sy * self.layout.width - sx * self.pixels) * x.channels
        at_once = self.rows if x_row == y_row == 0 and self.store not in BY_ROW else 1
        walk = Walk(
            outputs=self.pixels * at_once,
            x_step=sx * x.channels,
            x_row=x_row,
            y_step=size * self.channels,
            y_row=y_row,
            apart=row,
            lanes=tuple(first * part for first in self.parts_at) if codes else (),
            low=self.match.out.type.lo if codes else 0,
            unit=lane_unit(self.match.out.type) if codes else 1,
            bits=self.layout.bits,
            ones=self.layout.ones,
            dsp=self.match.core.dsp,
        )
        thumb1 = self.match.core.thumb1
        fields = thumb1 and lanes_fields.fit(self.sums.groups, self.sums.after, walk)
        looked_up = self.out.ctype(self.match.out) if self.sums.after.codes is not None else ""
        walk = replace(walk, routine=self.routine)
        return replace(walk, fields=fields, codes="uint32_t" if fields else looked_up)

    def body(self) -> Body:
        after, layout, match = self.sums.after, self.layout, self.match
        words, index = self._words()
        tables = [Table("starts", np.array(words, np.uint32), "in every lane", hexadecimal=True)]
        if self.walk.fields:
            spread = lanes_fields.table(cast(Compared, after).levels, self.walk.low, self.walk.unit)
            tables.append(Table("codes", spread, "of four channels, by two bits each", hexadecimal=True))
        if after.codes is not None:
            kept = after.codes.astype(match.out.type.dtype)
            tables.append(Table("codes", kept, "of shifted sums, the smallest first"))
        asm = assembler(match.core)
        groups = [
            {
                "c": c99.body(group, after, self.walk),
                "asm": statements(list(joined(asm.function(group, after, self.walk)))),
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
            "ctype": self.out.ctype(match.out), "after": after, "vectors": match.core.vectors,
            "routine": self._routine(),
        }  # fmt: skip
        return Body(tables, fields)

    def _routine(self) -> list[list[str]]:
        """Statements of the routine; none where there is none."""
        called = next((group for group in self.sums.groups if group.size == self.routine), None)
        if called is None:
            return []
        text = assembler(self.match.core).routine(called, self.sums.after, self.walk)
        return statements(list(joined(text)))

    def _words(self) -> tuple[list[int], list[int]]:
        """(words, index of each group): starts of each part, then what the kind wants."""
        after, reach, ones = self.sums.after, self.sums.reach, self.layout.ones
        words: list[int] = []
        index = []
        for group in self.sums.groups:
            index.append(len(words))
            starts = [after.starts(group, reach)]
            if group.cuts:
                starts = lanes_stages.starts(group, starts[0])
            first, *others = ([start * ones % 2**32 for start in part] for part in starts)
            words += [*first, *after.words(group, self.layout.bits, ones)]
            words += [word for part in others for word in part]
        return words, index

    def _epilogue(self) -> epilogue.Epilogue:
        match = self.match
        negate = epilogue.negated(match.follow, self.channels)
        return epilogue.of(match, self.out, self.sums.affine, negate)

    @cached_property
    def cost(self) -> Cost:
        if self.match.core.vectors:
            return self._vector_cost
        after, lanes, thumb1 = self.sums.after, self.layout.lanes, self.match.core.thumb1
        planes, pace = isinstance(self.out, Planes), self.match.core.figures(PACES)
        epilogue = Epilogue(
            after, self.store, lanes, self.walk.fields, thumb1, planes, pace, routine=self.routine
        )
        words = self.border.words if self.border else 0
        found = lanes_cost.cost(self.match, self.sums.groups, epilogue, self.rows, self.pixels, words)
        return replace(found, cycles=found.cycles + self._bits_cycles)

    @property
    def _bits_cycles(self) -> float:
        """From rows of packed results to bit planes."""
        if self.store != "planes":
            return 0.0
        words = self.rows * self.pixels * self.channels
        return lanes_bits.cycles(self.match.out, self.layout.lanes, words, self.match.core)

    @property
    def _vector_cost(self) -> Cost:
        """Of four outputs at a time; nearly all instructions take four bytes."""
        outputs, rows = self.walk.outputs, self.rows
        rows = rows * self.pixels // outputs
        turns = rows * lanes_helium.turns(outputs)
        pace, lanes = self.match.core.figures(PACES), len(self.walk.lanes)
        ways = [
            [lanes_helium.effort(g, self.sums.after, lanes, at) for g in self.sums.groups]
            for at in (pace, EVEN)
        ]
        cycles, instructions = map(sum, ways)
        calls = len(self.sums.groups) * (self.rows if self.store in BY_ROW else 1)
        cycles = turns * cycles + VECTOR_CALL * calls + self._bits_cycles
        if self.store == "rows":
            levels = self.match.follow.t.shape[1] if isinstance(self.match.follow, Threshold) else 0
            parts = len(self.sums.groups[0].parts)  # whose sums are taken out of words and added in C
            each = VECTOR_SUM[0] + VECTOR_SUM[1] * parts + VECTOR_SUM[2] * levels
            cycles += self.match.out.size * (pace.rows * each + lanes_cost.long_form(self.match))
        if self.border:
            cycles += EDGE * self.border.words
        bytes_ = round(4 * instructions) + VECTOR_FRAME * len(self.sums.groups)
        return Cost(cycles, bytes_, bytes_ * turns)


def _itemsize(layout: Layout, value: Value) -> int:
    return 4 if layout.ctype(value) in ("uint32_t", "int32_t") else value.type.dtype.itemsize
