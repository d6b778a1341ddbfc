"""conv2d on natural inputs with few weights of -1, 0, +1: the weights become additions and subtractions."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.ir import Value
from edgeternary.ops import Conv2d

MAX_TAPS = 64
MAX_TERMS = 1024
CODE_BYTES = 4  # of one addition, with the load that it may need
COPIED = 0.5  # of Core.touch, for an element that a row takes over


class Conv2dBaked(Kernel):
    """Rows of the image are copied with their pads, then every window is at fixed places in them.

    A weight of zero costs nothing. Meant for first layers: code grows with the number of weights.
    """

    name = "conv2d_baked"
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, core = cast(Conv2d, match.ops[0]), match.ins[0], match.core
        taps, terms = op.weights[0].size, int(np.count_nonzero(op.weights))
        if not weights.is_packed(op.weight_type) or op.groups != 1 or taps > MAX_TAPS:
            return
        if not 1 <= terms <= MAX_TERMS:
            return
        if not accumulator.fits(match, op):
            return
        pixels = match.out.size // len(op.bias)
        copied = match.outs[0].shape[0] * self._rows(op, x)
        cycles = pixels * terms * core.add + copied * COPIED * core.touch + accumulator.epilogue_cycles(match)
        code = terms * CODE_BYTES
        cost = Cost(cycles, code + accumulator.epilogue_flash(match), fetched=pixels * code)
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, cost, scratch=self._rows(op, x) * x.type.dtype.itemsize)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        fields = {
            "x": x, "acc": acc, "op": op, "outputs": len(op.bias), "row": self._row(op, x),
            "sums": [_terms(row) for row in codes.reshape(len(codes), op.kernel[0], -1)], "e": after.fields,
        }  # fmt: skip
        return Body(after.tables, fields)

    def _row(self, op: Conv2d, x: Value) -> int:
        """Elements of a row of the image with its pads."""
        return (op.pad[1] + x.shape[1] + op.pad[3]) * x.channels

    def _rows(self, op: Conv2d, x: Value) -> int:
        return op.kernel[0] * self._row(op, x)


def _terms(rows: weights.Codes) -> str:
    """v0[0] - v2[3] ... for the weights (ky, kx * c) of one output; 0 if all are zero."""
    terms = [f" {'+' if rows[y, i] > 0 else '-'} v{y}[{i}]" for y, i in np.argwhere(rows)]
    return "".join(terms).removeprefix(" + ").lstrip() or "0"
