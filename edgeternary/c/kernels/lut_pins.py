"""lut through a list of places: an input of a table is a byte, and eight tables share the bytes of entries.

The comparisons before it are made once, four channels a word; a count after it takes the bits as they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from edgeternary.c import pins
from edgeternary.c.as_tables import as_lut
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table, narrow
from edgeternary.cores import Core
from edgeternary.ir import Op, Value
from edgeternary.ops import Compare, GroupCount, Lut

MOST_PLACES = 1 << 16
DOUBLE = 1.3  # cycles to double a byte
GROUP_BYTES = 4  # of a group's tables


class LutPins(Kernel):
    """Codes of 0 and 1; a window of more than a pixel is gathered into scratch memory."""

    name = "lut_pins"
    code = 100
    patterns = (
        ("lut",), ("lut", "group_count"), ("compare", "lut"), ("compare", "lut", "group_count"),
        ("dense", "threshold"),
    )  # fmt: skip

    def offers(self, match: Match) -> Iterator[Offer]:
        layer = Layer.of(match)
        if layer is None or not layer.fits():
            return
        costs, pins_each = match.core.figures(COSTS), layer.lut.wiring.shape[1]
        each = pins_each * costs.pin + (costs.count if layer.count else costs.store)
        alone = 0 if layer.count else layer.sizes[0] % pins.BLOCK
        tables = pins.BLOCK * layer.blocks - pins.BLOCK * bool(alone)
        cycles = tables * each + alone * (1 + pins_each) * match.core.touch + costs.call * len(layer.sizes)
        cycles *= layer.pixels
        flash = layer.blocks * (
            2**pins_each + pins.BLOCK * (pins_each + pins_each % 2 * (not match.core.vectors)) * 2
        )
        flash += GROUP_BYTES * len(layer.sizes) if layer.count else 0
        scratch = 0
        if layer.compare is not None:
            scratch, flash = layer.compared.bytes, flash + len(layer.compared.own)
            cycles += costs.comparing(layer.compared)
            if layer.paired:
                scratch = 2 * layer.half
                saved = tables - sum(layer.sizes)
                cycles += DOUBLE * layer.half - pins_each // 2 * sum(layer.sizes) - saved * each
                flash -= saved * pins.BYTES * -(-pins_each // 2)
        elif layer.lut.windowed:
            scratch = layer.lut.window_size(layer.x)
            cycles += layer.pixels * scratch * match.core.touch
        yield Offer((NATURAL,), NATURAL, Cost(cycles, flash, once=costs.once), scratch=scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        layer = Layer.of(match)
        assert layer is not None
        op, inputs, tables = layer.lut, layer.inputs(), []
        found = pins.padded(inputs, layer.sizes, first=layer.paired)
        fields: dict[str, object] = {
            "pins": op.wiring.shape[1], "outputs": len(op.tables), "count": layer.count is not None,
            "compared": None if layer.compare is None else layer.compared, "windowed": layer.lut.windowed,
            "op": op, "vectors": match.core.vectors,
            "paired": layer.paired, "half": layer.half if layer.paired else 0,
            "x": layer.x.shape if len(layer.x.shape) == 3 else (1, 1, layer.x.size),
            "height": 1 if layer.pixels == 1 else match.out.shape[0],
            "width": 1 if layer.pixels == 1 else match.out.shape[1],
            "window": {"stride": op.stride, "pad": op.pad, "groups": 1, "pad_value": 0},
        }  # fmt: skip
        if layer.compare is not None and len(layer.compared.own):
            own = layer.compared.own.view("<u4").astype(np.uint32)
            tables.append(Table("own", own, "limits less what bytes are compared with", hexadecimal=True))
        placed = pins.paired(inputs, layer.half) if layer.paired else found
        words = pins.words_of(placed, match.core.vectors)
        entries = pins.entries_of(found.tables ^ (layer.count is not None))
        tables += [
            Table("pins", words, "places of inputs, two a word", hexadecimal=True),
            Table("entries", entries, "bit l of an address is that of table l", hexadecimal=True),
        ]
        if layer.count is not None:
            blocks = np.array([-(-size // pins.BLOCK) for size in layer.sizes])
            sizes = np.array(layer.sizes)
            tables.append(
                Table("tables", narrow(sizes), "of each group")
                if layer.paired
                else Table("blocks", narrow(blocks), "of eight tables of each group")
            )
            tables.append(Table("bias", narrow(layer.count.bias), "what each count starts from"))
            fields |= {"groups": len(layer.sizes), "empty": 0 in layer.sizes}
        return Body(tables, fields)


@dataclass(frozen=True)
class Layer:
    """The ops of a match, by kind."""

    compare: Compare | None
    lut: Lut
    count: GroupCount | None
    x: Value
    bits: Value
    pixels: int
    core: Core

    @classmethod
    def of(cls, match: Match) -> Layer | None:
        """None where bits are not 0 and 1, or what is compared are no bytes of one pixel."""
        kinds: dict[str, Op] = {op.kind: op for op in match.ops}
        compare, lut = cast(Compare | None, kinds.get("compare")), kinds.get("lut") or as_lut(match)
        if not isinstance(lut, Lut):
            return None
        x = match.ins[0]
        bits = match.outs[0] if compare is not None else x
        out = match.outs[-2] if "group_count" in kinds else match.out
        if compare is not None and (len(x.shape) != 1 or x.type.ctype != "uint8_t"):
            return None
        if bits.type.name != "binary" or out.type.name != "binary":
            return None
        count = cast(GroupCount | None, kinds.get("group_count"))
        return cls(compare, lut, count, x, bits, out.size // out.channels, match.core)

    @property
    def sizes(self) -> list[int]:
        """Tables of each group."""
        return [len(self.lut.tables)] if self.count is None else self.count.sizes.tolist()

    @property
    def paired(self) -> bool:
        """Whether bytes are there twice, the second time doubled, so that fewer of them are shifted."""
        if not self.core.thumb1 or self.compare is None or self.count is None:
            return False
        return DOUBLE * self.half < self.lut.wiring.shape[1] // 2 * len(self.lut.tables)

    @property
    def half(self) -> int:
        """Bytes of the comparisons, up to a multiple of four words."""
        return -(-self.compared.bytes // 16) * 16

    @property
    def blocks(self) -> int:
        """Of eight tables of one group."""
        return sum(-(-size // pins.BLOCK) for size in self.sizes)

    def fits(self) -> bool:
        """Whether 16 bits say where an input is."""
        size = self.lut.window_size(self.bits) if self.compare is None else self.compared.bytes
        return size > 0 and (2 * self.half if self.paired else size) <= MOST_PLACES

    @cached_property
    def compared(self) -> pins.Compared:
        """The comparisons that tables read, in the way that takes fewer cycles."""
        assert self.compare is not None
        known = pins.constants(self.compare, self.x)
        used = {int(j) for j in self.lut.wiring.ravel() if j >= 0} - set(known)
        pairs = sorted({(int(self.compare.source[j]), int(self.compare.t[j])) for j in used})
        limits = (256,) if self.core.dsp or self.core.vectors else (128, 256)
        ways = (pins.alike(pairs, self.x.size), pins.ranked(pairs, self.x.size, limits))
        return min(ways, key=self.core.figures(COSTS).comparing)

    def inputs(self) -> pins.Inputs:
        """The tables, and where their inputs are."""
        if self.compare is None:
            return pins.inputs(self.lut, range(self.lut.window_size(self.bits)), {})
        known, places = pins.constants(self.compare, self.x), self.compared.places
        pairs = zip(self.compare.source.tolist(), self.compare.t.tolist(), strict=True)
        return pins.inputs(self.lut, [places.get(pair) for pair in pairs], known)


@dataclass(frozen=True)
class Costs:
    """Cycles, from counts of whole layers, and bytes.

    row, word, single  a row of comparisons, a word of it, and a comparison alone
    own                a word with numbers of its own, besides
    pin, count, store  an input of a table, and a table besides
    call               a group of tables
    once               bytes of the routines
    """

    row: float
    word: float
    own: float
    single: float
    pin: float
    count: float
    store: float
    call: float
    once: int

    def comparing(self, found: pins.Compared) -> float:
        """Cycles of all comparisons."""
        words = sum(row.words * (self.word if row.t else self.word + self.own) for row in found.rows)
        return self.row * len(found.rows) + words + self.single * len(found.rest)


COSTS = {
    "host": Costs(20, 1, 1, 5, 2, 4, 4, 10, 300),
    "cortex-m0plus": Costs(60, 10.5, 6, 12, 5.67, 4, 6, 50, 560),
    "cortex-m3": Costs(40, 10, 2, 8, 3.35, 3.5, 4, 40, 700),
    "cortex-m4": Costs(40, 5, 2, 8, 3.2, 3, 3.5, 40, 700), "cortex-m7": Costs(40, 3, 1, 8, 2, 2, 2, 40, 700),
    "cortex-m33": Costs(40, 4.5, 2, 8, 3, 3, 3, 40, 700),
    "cortex-m55": Costs(25, 0.6, 1.2, 8, 0.75, 1.2, 1.2, 35, 200),
}  # fmt: skip
