"""Depthwise conv2d, one output a channel, few-bit inputs, weights of -1, 0, +1: four channels in a word.

It is what a stream needs of a depthwise convolution over time: the newest frame alone. With T = 2^bits - 1

    raw[o] = sum over k of x[k][o], T - x[k][o] or 0      for a weight of +1, -1 or 0
    acc[o] = raw[o] - T * #{k : w[k][o] = -1} + bias[o]

A raw sum fits a byte, so that four of them add up in a word. T - x is x ^ T: a byte of the table holds, in
its high half, the bits to turn round, and in its low half those to keep.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgeternary.c import accumulator, epilogue, weights
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import Conv2d
from edgeternary.passes.affine import Affine

LANES = 4  # channels in a word
HALF = 4  # bits of an input at most
PER_WORD = 1.4  # of Core.touch: two loads and four logic instructions, and their way to bytes


class DepthwiseColumn(Kernel):
    name = "depthwise_column"
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        one = op.groups == x.channels == len(op.bias) == acc.size and not any(op.pad)
        few = x.type.lo == 0 and x.type.bits <= HALF
        if not one or not few or x.channels % LANES or not weights.is_packed(op.weight_type):
            return
        if x.type.hi * np.count_nonzero(_columns(op.weights), axis=0).max() > 255:
            return
        cycles = _columns(op.weights).size / LANES * PER_WORD * match.core.touch
        cycles += accumulator.epilogue_cycles(match)
        yield Offer((NATURAL,), NATURAL, Cost(cycles, op.weights.size + accumulator.epilogue_flash(match)))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        codes, after = _codes_and_epilogue(match, offer, op)
        turned, kept = ((codes < 0) * x.type.hi << HALF), (codes != 0) * x.type.hi
        table = (turned | kept).astype(np.uint8).reshape(len(codes), -1, LANES).transpose(1, 0, 2)
        words = np.ascontiguousarray(table).view("<u4").reshape(-1)
        note = f"of {LANES} channels, for each tap: bits to turn round, bits to keep"
        fields = {"x": x, "taps": len(codes), "channels": x.channels, "e": after.fields}
        return Body([Table("weights", words, note, hexadecimal=True), *after.tables], fields)


def _columns(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    """(taps, channels) of weights (channels, ky, kx, 1)."""
    return codes.reshape(len(codes), -1).T


def _codes_and_epilogue(match: Match, offer: Offer, op: Conv2d) -> tuple[NDArray[np.int64], Epilogue]:
    """Weights (taps, channels), negated where a threshold falls, and the epilogue on raw sums."""
    negate = epilogue.negated(match.follow, len(op.bias)) & weights.can_negate(op.weight_type)
    codes = _columns(weights.negate(op.weights, negate)).astype(np.int64)
    top = match.ins[0].type.hi
    offset = np.where(negate, -op.bias.astype(np.int64), op.bias) - top * (codes < 0).sum(axis=0)
    affine = Affine(1, offset, 0, top * int((codes != 0).sum(axis=0).max()))
    return codes, epilogue.of(match, offer.out, affine, negate)
