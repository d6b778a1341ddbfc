"""lut on a natural input: the readable reference, one table after another."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table, narrow
from edgeternary.ops import Lut

PIN_TOUCHES = 1.2  # of Core.touch, for a pin that is read
TABLE_TOUCHES = 2.5  # the same, for an entry that is looked up


class LutNatural(Kernel):
    """A window of more than a pixel is gathered into scratch memory; a table is some bytes of bits."""

    name = "lut"
    patterns = (("lut",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Lut, match.ops[0]), match.ins[0]
        outputs, pins = op.wiring.shape
        pixels = match.out.size // outputs
        touches = outputs * (pins * PIN_TOUCHES + TABLE_TOUCHES)
        scratch = 0
        if op.windowed:
            scratch = op.window_size(x)
            touches += scratch
        flash = sum(table.data.nbytes for table in self._tables(op))
        yield Offer((NATURAL,), NATURAL, Cost(pixels * touches * match.core.touch, flash), scratch=scratch)

    def _tables(self, op: Lut) -> list[Table]:
        wiring, tables = op.all_pins()
        entries = np.packbits(tables > 0, axis=1, bitorder="little")
        return [
            Table("wiring", narrow(wiring), "the places of a window that the pins read"),
            Table("entries", entries, "bit a is the output at address a", hexadecimal=True),
        ]

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = cast(Lut, match.ops[0]), match.ins[0], match.out
        image = x.shape if len(x.shape) == 3 else (1, 1, x.size)
        fields = {
            "x": image, "outputs": out.channels, "pins": op.wiring.shape[1],
            "height": out.size // out.channels if len(x.shape) == 1 else out.shape[0],
            "width": 1 if len(x.shape) == 1 else out.shape[1],
            "bytes": max(op.tables.shape[1] // 8, 1), "windowed": op.windowed,
            "window": {"stride": op.stride, "pad": op.pad, "groups": 1, "pad_value": x.type.lo},
            "kernel": op.kernel, "wiring_type": self._tables(op)[0].ctype,
            "set": out.type.hi, "unset": out.type.lo,
        }  # fmt: skip
        return Body(self._tables(op), fields)
