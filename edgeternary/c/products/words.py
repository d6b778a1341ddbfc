"""Products of a dense layer for cores without DSP instructions: how weights lie in memory.

A word that holds w_a + w_b * 2^16 times x is both products at once:

    sum (w_a + w_b 2^16) x = sum w_a x + 2^16 sum w_b x

and gives both sums back while each is an int16, so inputs are taken in runs that are short enough for the
real weights; then lanes are taken apart and added to sums of 32 bits. Words are stored as such (two bytes a
weight), or as nibbles w + 8 that a mask spreads (half a byte). Wider weights are bytes w + 128, which take a
product each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.ir import Value

LANES = 2  # of a word
STEP = 4  # inputs that a loop takes at once
LANE_LO, LANE_HI = -0x8000, 0x7FFF
NIBBLES, BYTES = 8, 128  # what is added to weights that are stored without a sign

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """inputs, a multiple of STEP unless it is all of them, that lanes can hold the sums of."""

    inputs: int
    count: int


def run(codes: Codes, excess: int, x: Value) -> Run | None:
    """The longest runs of the inputs of weights (out, in), as w + excess; None if lanes are too short."""
    weights = codes.astype(np.int64) + excess
    ends = np.stack([weights * x.lo, weights * x.hi])
    least, most = ends.min(axis=0), ends.max(axis=0)
    inputs = codes.shape[1]
    length = -(-inputs // STEP) * STEP
    while length >= STEP:
        starts = np.arange(0, inputs, length)
        low = np.add.reduceat(np.minimum(least, 0), starts, axis=1).min()
        top = np.add.reduceat(np.maximum(most, 0), starts, axis=1).max()
        if low >= LANE_LO and top <= LANE_HI:
            return Run(min(length, inputs), len(starts))
        count = len(starts) + 1
        shorter = -(-inputs // count // STEP) * STEP
        length = min(shorter, length - STEP)
    return None


def words(codes: Codes, registers: int) -> Table:
    """Weights (out, in) as words of two outputs: block, input, word; `registers` words a block."""
    lanes = _blocks(codes, LANES * registers, 0).reshape(-1, codes.shape[1], registers, LANES)
    data = (lanes[..., 0] + (lanes[..., 1] << 16)) & 0xFFFFFFFF
    return Table("weights", data.reshape(len(data), -1).astype(np.uint32), "w + w' * 2^16", hexadecimal=True)


def nibbles(codes: Codes, registers: int) -> Table:
    """Weights (out, in) as words of eight w + 8: of output 2 k at bits 4 k, of 2 k + 1 at bits 16 + 4 k."""
    lanes = _blocks(codes, LANES * registers, NIBBLES).reshape(-1, codes.shape[1], registers // 4, 4, LANES)
    data = (lanes << (4 * np.arange(4)[:, None] + 16 * np.arange(LANES))).sum(axis=(3, 4))
    return Table("weights", data.reshape(len(data), -1).astype(np.uint32), "eight w + 8", hexadecimal=True)


def octets(codes: Codes, registers: int) -> Table:
    """Weights (out, in) as bytes w + 128: block, input, output; `registers` outputs a block."""
    data = _blocks(codes, registers, BYTES)
    return Table("weights", data.reshape(len(data), -1).astype(np.uint8), "w + 128")


def _blocks(codes: Codes, outputs: int, excess: int) -> Ints:
    """(block, input, output in block) of weights + excess, zeros filled in."""
    padded = np.pad(codes.astype(np.int64), [(0, -len(codes) % outputs), (0, 0)]) + excess
    return np.ascontiguousarray(padded.reshape(-1, outputs, codes.shape[1]).transpose(0, 2, 1))
