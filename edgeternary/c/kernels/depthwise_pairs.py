"""Depthwise conv2d of integer weights (2 to 8 bits), one output a channel, two taps of four at a time."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import depthwise, pairs
from edgeternary.c.products.depthwise import FOUR
from edgeternary.c.tables import Table
from edgeternary.ops import Conv2d

ROUTINE = 380  # bytes

# Cycles of two taps of four channels, of four channels besides, of the place of a tap, of a pixel, and of a
# tap of a channel after the last four.
COSTS = {
    "cortex-m4": (21.9, 23.2, 15.3, 48.0, 9.0), "cortex-m7": (13.2, 2.6, 8.5, 47.0, 5.5),
    "cortex-m33": (19.6, 10.8, 9.9, 45.0, 6.1),
}  # fmt: skip


class DepthwisePairs(Kernel):
    """Places of a window's taps are found once a pixel; beyond the edges they are a row of pad values."""

    name = "depthwise_pairs"
    code = 280
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        if not depthwise.possible(op, x):
            return
        taps = op.kernel[0] * op.kernel[1]
        if x.type.dtype.itemsize != 1 or not pairs.possible(match, op):
            return
        two, four, place, pixel, last = match.core.figures(COSTS)
        steps, (fours, rest) = _steps(op), divmod(x.channels, FOUR)
        each = fours * (steps * two + four) + rest * taps * last + taps * place + pixel
        cycles = match.outs[0].size // x.channels * each + accumulator.epilogue_cycles(match)
        flash = (
            4 * steps * x.channels + accumulator.epilogue_flash(match) + (x.channels if any(op.pad) else 0)
        )
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, Cost(cycles, flash, once=ROUTINE), scratch=4 * x.channels)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        whole, steps = x.channels // FOUR * FOUR, _steps(op)
        halfwords = np.pad(codes, [(0, 0), (0, codes.shape[1] % 2)]).astype(np.int64) & 0xFFFF
        words = (halfwords[:, ::2] | halfwords[:, 1::2] << 16).astype(np.uint32)
        fours = words[:whole].reshape(-1, FOUR, steps).transpose(0, 2, 1)
        table = np.concatenate([fours.ravel(), words[whole:].ravel()])
        tables = [Table("weights", table, "of two taps", hexadecimal=True), *after.tables]
        tables += depthwise.edge(op, x)
        fields = {
            "x": x, "acc": acc, "op": op, "whole": whole, "steps": steps, "letter": pairs.letter(x),
            "e": after.fields,
        }  # fmt: skip
        return Body(tables, fields)


def _steps(op: Conv2d) -> int:
    """Of two taps."""
    return -(-op.kernel[0] * op.kernel[1] // 2)
