"""conv2d on bit planes: weights of -1, 0, +1 and activations of few bits, by counting ones."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator, popcount
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import planes
from edgeternary.c.popcount import Row
from edgeternary.c.tables import Table
from edgeternary.ir import Value, encoding
from edgeternary.ops import Conv2d

GATHERED = 0.5  # of Core.touch, for a tap of a window and for each of its words


class Conv2dPlanes(Kernel):
    """The window is gathered into scratch memory, then each output is a row of words.

    With up to 16 channels, 32 / C pixels of the window share a word.
    """

    name = "conv2d_planes"
    code = 900
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        if op.groups != 1 or x.type.bits > accumulator.PLANE_BITS:
            return
        row = self._row(op, x)
        if not popcount.possible(match, row):
            return
        pixels = acc.shape[0] * acc.shape[1]
        gather = pixels * op.kernel[0] * op.kernel[1] * (1 + self._tap_words(x)) * GATHERED * match.core.touch
        cost = popcount.cost(match, row, acc.size) + Cost(gather)
        for out in accumulator.output_layouts(match):
            yield Offer((planes(x),), out, cost, scratch=row.words * x.type.planes * 4)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        row = self._row(op, x)
        table, after = popcount.constants(match, offer.out, row)
        tables = [table, *after.tables]
        pad = self._pad(op, x)
        if any(op.pad) and np.any(pad):
            tables.append(Table("pad", pad, f"a pixel of {op.pad_value}", hexadecimal=True))
        fields = {
            "op": op, "x": x, "acc": acc, "outputs": len(op.bias), "weight_type": op.weight_type,
            "planes": x.type.planes, "tap_words": self._tap_words(x),
            "shared": row.group // x.channels if row.group > x.channels else 0,
            "pad_zero": not (any(op.pad) and np.any(pad)), "schedule": popcount.schedule(match, row),
            "e": after.fields,
        }  # fmt: skip
        return Body(tables, fields)

    def _row(self, op: Conv2d, x: Value) -> Row:
        """Up to 16 channels: as many whole pixels in a word as fit; else each pixel at a word border."""
        taps = op.kernel[0] * op.kernel[1]
        shared = encoding.WORD // x.channels if x.channels <= encoding.WORD // 2 else 1
        return Row(taps * x.channels, x.channels * min(shared, taps))

    def _tap_words(self, x: Value) -> int:
        return encoding.words(x.channels) * x.type.planes

    def _pad(self, op: Conv2d, x: Value) -> np.ndarray:
        packed = encoding.pack(np.full((1, x.channels), op.edge(x)), x.type)
        return packed.transpose(1, 2, 0).ravel()
