"""Depthwise conv2d on natural inputs of eight bits, one output a channel: 16 channels at a time by VMULL.

Products of bytes are added in 16 bits where the sums of the real weights fit, else in 32 bits.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator, epilogue_helium
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import depthwise, vectors
from edgeternary.c.products.depthwise import MOST_TAPS
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d
from edgeternary.passes.affine import Affine

LANES = 16
SHORT = 0x7FFF

# Cycles of a tap of 16 channels in 16 and in 32 bits, of 16 channels besides, of a row of a window, of
# a tap in a row that crosses an edge, and of a pixel.
NARROW, WIDE, GROUP, ROW, CROSSING, PIXEL = 12.0, 19.8, 28.0, 5.3, 19.0, 29.0


class DepthwiseVectors(Kernel):
    """The places of a window's taps are found once a pixel; beyond the edges they are a row of pad values."""

    name = "depthwise_vectors"
    code = 600
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        taps = op.kernel[0] * op.kernel[1]
        if not match.core.vectors or x.type.dtype.itemsize != 1 or taps > MOST_TAPS:
            return
        if not LANES <= op.groups == x.channels == len(op.bias) or not accumulator.fits(match, op):
            return
        groups, pixels = -(-x.channels // LANES), match.outs[0].size // x.channels
        each = NARROW if _routine(op, x) == "vtaps16" else WIDE
        offer = Offer((NATURAL,), NATURAL, Cost(0), scratch=4 * x.channels)
        _, after = vectors.codes_and_epilogue(match, offer, op, _affine(op, x))
        ends = vectors.after_cycles(match, after)
        cycles = pixels * (groups * (taps * each + GROUP) + op.kernel[0] * ROW + PIXEL + ends)
        cycles += CROSSING * op.kernel[1] * vectors.crossings(op, match)
        flash = groups * LANES * taps + after.bytes + x.channels * any(op.pad)
        yield Offer((NATURAL,), NATURAL, Cost(cycles, flash), scratch=offer.scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = vectors.codes_and_epilogue(match, offer, op, _affine(op, x))
        e, finish = epilogue_helium.fields(after, len(codes))
        starts = [min(first, x.channels - LANES) for first in range(0, x.channels, LANES)]
        rows = [codes[first : first + LANES].T.reshape(-1) for first in starts]
        tables = [Table("weights", np.array(rows, np.int8), "16 channels of a tap beside each other")]
        tables += after.tables
        tables += depthwise.edge(op, x)
        fields = {
            "x": x, "acc": acc, "op": op, "e": e, "finish": finish, "routine": _routine(op, x),
        }  # fmt: skip
        return Body(tables, fields)


def _affine(op: Conv2d, x: Value) -> Affine:
    bound = accumulator.reach(op, x)
    return Affine(1, op.bias.astype(np.int64), -bound, bound)


def _routine(op: Conv2d, x: Value) -> str:
    """The routine whose sums are wide enough."""
    edge = op.edge(x)
    lo, hi = min(x.lo, edge), max(x.hi, edge)
    if hi > 127:
        return "vtaps32u"
    codes = op.weights.reshape(len(op.bias), -1).astype(np.int64)
    ends = np.stack([codes * lo, codes * hi])
    low, top = np.minimum(ends.min(axis=0), 0).sum(axis=1), np.maximum(ends.max(axis=0), 0).sum(axis=1)
    return "vtaps16" if low.min() >= -SHORT and top.max() <= SHORT else "vtaps32s"
