"""Products of integer weights with 16-bit pairs of inputs (SMLAD): what the `_pairs` kernels share.

Four inputs become the pairs (0, 2) and (1, 3), as SXTB16 makes them of a word, with their sum on the way.
They serve all outputs. A halfword of weights has those of several outputs:

twins   h = (a + 128) + 256 b: with q = sum b x and p = sum h x, sum a x = p - 256 q - 128 sum x, modulo 2^32.
        One instruction takes b out of h, for two weights; a byte each would take two. Exact for all weights.
quads   h = (a + 8) + 16 (b + 8) + 256 (c + 8) + 4096 d of four bits each: p3 = sum h x, and p2, p1, p0 of the
        low 12, 8 and 4 bits of h; their differences are 4096, 256 and 16 times the sums of d x, (c + 8) x and
        (b + 8) x. Exact while those stay below 2^19, 2^23 and 2^27.
halves  h = a: no instruction besides the product, and two bytes a weight
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.c import accumulator, weights
from edgeternary.c.kernel import Match
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.ir import Value, parse
from edgeternary.ops import Conv2d, Dense

FOUR = 4  # inputs that become pairs at a time
NIBBLE = 4


@dataclass(frozen=True)
class Packing:
    """outputs  whose weights share a halfword;  factor  of the sum of all inputs that they begin with"""

    name: str
    outputs: int
    factor: int
    note: str


TWINS = Packing("twins", 2, -128, "a + 128 + 256 b of two outputs")
QUADS = Packing("quads", 4, -8, "four bits of four outputs")
HALVES = Packing("halves", 1, 0, "weights of two inputs")
PACKINGS = {packing.name: packing for packing in (TWINS, QUADS, HALVES)}


def possible(match: Match, op: Dense | Conv2d) -> bool:
    """Whether the core multiplies pairs and has no vector registers, and inputs fit 16 bits with a sign."""
    x, core = match.ins[0], match.core
    if not core.pairs or core.vectors or weights.is_packed(op.weight_type):
        return False
    return not reason(match, op) and x.type.dtype.itemsize <= 2 and accumulator.fits(match, op)


def reason(match: Match, op: Dense | Conv2d) -> str:
    """Why a core with pairs cannot multiply these; empty where it can."""
    x = match.ins[0]
    edge = op.edge(x) if isinstance(op, Conv2d) else x.lo
    if match.core.pairs and (min(x.lo, edge) < -0x8000 or max(x.hi, edge) > 0x7FFF):
        return f"inputs from {min(x.lo, edge):,} to {max(x.hi, edge):,} exceed 16 bits with a sign"
    return ""


def fits(packing: Packing, match: Match, op: Dense | Conv2d) -> bool:
    """Whether these weights can be packed so."""
    if packing is not QUADS:
        return True
    if parse(op.weight_type).bits > NIBBLE:
        return False
    x = match.ins[0]
    edge = op.edge(x) if isinstance(op, Conv2d) else x.lo
    excess = 8 * op.weights[0].size * max(abs(x.lo), abs(x.hi), abs(edge))
    reach = accumulator.reach(op, x)
    return reach < 1 << 19 and reach + excess < 1 << 23


def letter(x: Value) -> str:
    """The routines that read inputs: s8, u8, s16. Those of 16 bits without a sign stay below 2^15."""
    return "s16" if x.type.dtype.itemsize == 2 else "s8" if x.type.signed else "u8"


def runs(inputs: int, run: int = FOUR) -> int:
    """Runs of `run` inputs."""
    return -(-inputs // run)


def table(codes: Codes, packing: Packing, run: int, rows: int) -> Table:
    """Words of weights (out, n) in the order of: `rows` outputs, pairs of inputs, halfwords of these outputs.

    run  zeros fill the inputs up to a multiple of it
    """
    padded = np.pad(codes, [(0, -len(codes) % rows), (0, -codes.shape[1] % run)]).astype(np.int64)
    halfwords = _halfwords(padded, packing).reshape(
        -1, rows // packing.outputs, padded.shape[1] // FOUR, FOUR
    )
    words = (halfwords[..., :2] | halfwords[..., 2:] << 16).astype(np.uint32)
    words = words.reshape(*words.shape[:2], -1).transpose(0, 2, 1)
    return Table("weights", words.reshape(len(words), -1), packing.note, hexadecimal=True)


def _halfwords(codes: NDArray[np.int64], packing: Packing) -> NDArray[np.int64]:
    """(out / outputs of a halfword, n), without a sign."""
    a = codes[0 :: packing.outputs]
    if packing is TWINS:
        a = a + 128 + 256 * codes[1::2]
    if packing is QUADS:
        a = a + 8 + 16 * (codes[1::4] + 8) + 256 * (codes[2::4] + 8) + 4096 * codes[3::4]
    return a & 0xFFFF
