"""Products of integer weights with 16-bit pairs of inputs (SMLAD): what the `_pairs` kernels share.

A halfword of weights has those of two outputs, h = a + 128 + 256 b, and one instruction takes b out of it:

    q = sum b x        p = sum h x        sum a x = p - 256 q - 128 sum x

which is exact modulo 2^32 for all weights, lowest codes included. A word of two such halfwords, for a pair of
inputs, thus costs one load and one SXTB16 for four weights; a byte of each needs twice as many.

Four inputs become the pairs (0, 2) and (1, 3), as SXTB16 makes them of a word, with their sum on the way.
"""

import numpy as np
from numpy.typing import NDArray

from edgeternary.c import accumulator, weights
from edgeternary.c.kernel import Match
from edgeternary.c.weights import Codes
from edgeternary.ir import Value
from edgeternary.ops import Conv2d, Dense

FOUR = 4  # inputs of a run


def possible(match: Match, op: Dense | Conv2d) -> bool:
    """Whether the core multiplies pairs and has no vector registers, and inputs fit 16 bits with a sign."""
    x, core = match.ins[0], match.core
    if not core.pairs or core.vectors or weights.is_packed(op.weight_type) or x.type.dtype.itemsize > 2:
        return False
    return x.lo >= -0x8000 and x.hi <= 0x7FFF and accumulator.fits(match, op)


def letter(x: Value) -> str:
    """The routines that read inputs: s8, u8, s16. Those of 16 bits without a sign stay below 2^15."""
    return "s16" if x.type.dtype.itemsize == 2 else "s8" if x.type.signed else "u8"


def runs(inputs: int) -> int:
    """Runs of four inputs."""
    return -(-inputs // FOUR)


def twins(codes: Codes) -> NDArray[np.uint32]:
    """(out / 2, 2 runs) words of weights (out, n): two outputs of a pair of inputs."""
    padded = np.pad(codes, [(0, len(codes) % 2), (0, -codes.shape[1] % FOUR)]).astype(np.int64)
    halfwords = padded[0::2] + 128 + 256 * padded[1::2]
    return _pairs(halfwords)


def _pairs(halfwords: NDArray[np.int64]) -> NDArray[np.uint32]:
    """(rows, 2 runs) words of halfwords (rows, 4 runs), in the order of the inputs."""
    fours = (halfwords & 0xFFFF).reshape(len(halfwords), -1, FOUR)
    return (fours[:, :, :2] | fours[:, :, 2:] << 16).reshape(len(halfwords), -1).astype(np.uint32)
