"""Depthwise conv2d of integer weights (2 to 8 bits), one output a channel: four channels at a time."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import depthwise
from edgeternary.c.products.depthwise import FOUR
from edgeternary.c.tables import Table
from edgeternary.ops import Conv2d

# Cycles of a multiply-accumulate, of the place of a tap, and of an output besides its epilogue.
COSTS = {
    "host": (1.0, 4.0, 2.0), "cortex-m0plus": (11.0, 22.0, 20.0), "cortex-m3": (6.5, 14.0, 10.0),
    "cortex-m4": (6.2, 14.0, 10.0), "cortex-m7": (3.2, 8.0, 6.0), "cortex-m33": (6.2, 14.0, 10.0),
    "cortex-m55": (4.5, 10.0, 8.0),
}  # fmt: skip


class DepthwiseInt(Kernel):
    """The places of a window's taps are found once a pixel; beyond the edges they are a row of pad values."""

    name = "depthwise_int"
    code = 330
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        if not depthwise.possible(op, x):
            return
        taps = op.kernel[0] * op.kernel[1]
        if weights.is_packed(op.weight_type) or not accumulator.fits(match, op):
            return
        mac, place, output = match.core.figures(COSTS)
        pixels = match.outs[0].size // x.channels
        cycles = op.macs([x]) * mac + pixels * (taps * place + x.channels * output)
        flash = op.weights.size + accumulator.epilogue_flash(match)
        flash += x.channels * x.type.dtype.itemsize if any(op.pad) else 0
        yield Offer((NATURAL,), NATURAL, Cost(cycles + accumulator.epilogue_cycles(match), flash))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        whole = x.channels // FOUR * FOUR
        fours = codes[:whole].reshape(-1, FOUR, codes.shape[1]).transpose(0, 2, 1)
        table = np.concatenate([fours.reshape(-1), codes[whole:].reshape(-1)])
        tables = [Table("weights", table, "four channels of a tap beside each other"), *after.tables]
        tables += depthwise.edge(op, x)
        fields = {"x": x, "acc": acc, "op": op, "whole": whole, "e": after.fields}
        return Body(tables, fields)
