"""What dense_vectors and conv2d_vectors share: products in the vector registers of Helium.

VMLADAVA.S8 adds 16 products of bytes to a core register; four outputs, and two pixels of a convolution, are
summed at once. Where weights are small enough, a byte holds several of them as signed digits

    byte = c[0] + c[1] * 2^f + c[2] * 2^2f + c[3] * 2^3f         f = 8 / (weights of a byte)

and a shift to the left leaves those below, for 2^8 is 0 in a byte. Let T[j] be the sum of
x * (byte << (8 - f (j + 1))) and S[j] that of x * c[j]:

    T[0] = 2^(8-f) S[0]          T[j] = 2^(8-f) S[j] + T[j-1] / 2^f

which is exact while |byte| <= 127 for all digits. Pairs of four bits with -8 among them are two nibbles.
Inputs of eight bits without a sign are read as x - 128; 128 times the sum of the weights is in the offset.
"""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from edgeternary.c import epilogue, epilogue_helium, weights
from edgeternary.c.accumulator import value_cycles
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products.equidistant import equidistant
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Conv2d, Dense, Threshold
from edgeternary.passes.affine import Affine

LANES, ROWS = 16, 4  # products of an instruction, outputs of a block
MIDDLE = 128  # what is taken from inputs without a sign
LARGEST = 2**14  # product of bytes


@dataclass(frozen=True)
class Packing:
    """How weights lie in bytes.

    each    weights of a byte
    shifts  instructions that take apart the weights of four outputs and 16 inputs, beyond the loads saved
    ends    instructions that make the sums of four outputs from what was added up
    """

    name: str
    each: int
    shifts: int
    ends: int
    note: str


BYTES = Packing("bytes", 1, 0, 0, "w")
PAIRS = Packing("pairs", 2, 0, 6, "w + 16 w'")
NIBBLES = Packing("nibbles", 2, 2, 2, "w in the low half, w' in the high one")
QUADS = Packing("quads", 4, 0, 7, "w + 4 w' + 16 w'' + 64 w'''")


def packing(codes: Codes) -> Packing:
    """The densest one."""
    largest = int(np.abs(codes.astype(np.int16)).max(initial=0))
    if largest <= 1:
        return QUADS
    if largest <= 7:
        return PAIRS
    return NIBBLES if codes.min() >= -8 and codes.max() <= 7 else BYTES


def table(codes: Codes) -> Table:
    """Weights (out, n): block of four outputs, step of 16 inputs, 4 / each vectors of bytes."""
    found = packing(codes)
    padded = np.pad(codes.astype(np.int64), [(0, -len(codes) % ROWS), (0, -codes.shape[1] % LANES)])
    digits = padded.reshape(len(padded) // ROWS, ROWS // found.each, found.each, -1)
    if found is NIBBLES:
        digits[:, :, 0] &= 15
    bytes_ = (digits << (8 // found.each * np.arange(found.each))[:, None]).sum(axis=2)
    data = bytes_.reshape(len(bytes_), ROWS // found.each, -1, LANES).transpose(0, 2, 1, 3)
    return Table("weights", data.reshape(len(data), -1).astype(np.int8), found.note)


@dataclass(frozen=True)
class Products:
    """A layer and how it runs.

    flipped  inputs are read as x - 128
    inputs   of one output;  steps: of 16 inputs;  blocks: of four outputs
    """

    match: Match
    op: Dense | Conv2d
    flipped: bool

    @property
    def inputs(self) -> int:
        return self.op.weights[0].size

    @property
    def steps(self) -> int:
        return -(-self.inputs // LANES)

    @property
    def blocks(self) -> int:
        return -(-len(self.op.bias) // ROWS)

    @property
    def affine(self) -> Affine:
        """acc in terms of the sum of products, before any output is negated."""
        codes = self.op.weights.reshape(len(self.op.bias), -1).astype(np.int64)
        x = self.match.ins[0]
        reach = max(abs(end) for end in ends(x.lo, x.hi, self.op, self.match, self.flipped))
        bound = reach * int(np.abs(codes).sum(axis=1).max())
        return Affine(1, self.op.bias + MIDDLE * self.flipped * codes.sum(axis=1), -bound, bound)

    def codes_and_epilogue(self, offer: Offer) -> tuple[Codes, Epilogue]:
        return codes_and_epilogue(self.match, offer, self.op, self.affine)

    def fields(self, offer: Offer) -> tuple[list[Table], dict[str, object]]:
        """Tables, and what both templates need to know."""
        codes, after = self.codes_and_epilogue(offer)
        e, finish = epilogue_helium.fields(after, len(codes))
        fields = {
            "e": e, "packing": packing(codes), "steps": self.steps, "blocks": self.blocks, "finish": finish,
            "inputs": self.inputs, "outputs": len(codes), "flipped": self.flipped, "x": self.match.ins[0],
        }  # fmt: skip
        return [table(codes), *after.tables], fields

    def after_cycles(self, offer: Offer) -> float:
        """Of what follows the sums of one pixel, roughly."""
        return after_cycles(self.match, self.codes_and_epilogue(offer)[1])

    @property
    def flash(self) -> int:
        """Bytes of the weights."""
        return self.blocks * self.steps * LANES * ROWS // packing(self.op.weights).each


def ends(lo: int, hi: int, op: Dense | Conv2d, match: Match, flipped: bool) -> tuple[int, int]:
    """The interval of inputs as they are read, those beyond the edges included."""
    edge = op.edge(match.ins[0]) if isinstance(op, Conv2d) else lo
    less = MIDDLE * flipped
    return min(lo, edge) - less, max(hi, edge) - less


def products(match: Match) -> Products | None:
    """None where this is no layer of bytes for vector registers."""
    op, x = match.ops[0], match.ins[0]
    assert isinstance(op, Dense | Conv2d)
    if not match.core.vectors or x.type.dtype.itemsize != 1 or (isinstance(op, Conv2d) and op.groups != 1):
        return None
    lo, hi = ends(x.lo, x.hi, op, match, False)
    found = Products(match, op, lo >= 0 and hi > 127)
    lo, hi = ends(x.lo, x.hi, op, match, found.flipped)
    if lo < -MIDDLE or hi >= MIDDLE or LARGEST * found.inputs > INT32_HI:
        return None
    return found if match.follow is None or found.affine.fits() else None


def codes_and_epilogue(
    match: Match, offer: Offer, op: Dense | Conv2d, affine: Affine
) -> tuple[Codes, Epilogue]:
    """Weights (out, n), and what follows sums; thresholds at equal distances are a shift and a clamp.

    affine  acc in terms of the sum of products, before any output is negated
    """
    follow = match.follow
    negate = epilogue.negated(follow, len(op.bias)) & weights.can_negate(op.weight_type)
    codes = weights.negate(op.weights, negate).reshape(len(op.bias), -1)
    affine = replace(affine, offset=np.where(negate, -affine.offset, affine.offset))
    after = None
    if isinstance(follow, Threshold) and offer.out == NATURAL:
        after = equidistant(follow, (match.outs[0], match.out), affine, negate)
    return codes, after or epilogue_helium.of(match, offer.out, affine, negate)


def after_cycles(match: Match, after: Epilogue) -> float:
    """Of what follows the sums of one pixel, roughly."""
    outputs = match.out.channels
    found = epilogue_helium.finish(after.fields, after.tables, outputs)
    return cast(float, found["cycles"]) if found else outputs * value_cycles(match)


def crossings(op: Conv2d, match: Match) -> int:
    """Rows of windows that reach beyond the edges."""
    if not any(op.pad):
        return 0
    height, width = match.outs[0].shape[0], match.outs[0].shape[1]
    x, (top, left, _, _) = match.ins[0], op.pad
    found = 0
    for oy in range(height):
        rows = range(oy * op.stride[0] - top, oy * op.stride[0] - top + op.kernel[0])
        outside = sum(not 0 <= iy < x.shape[0] for iy in rows)
        found += width * outside
        starts = (ox * op.stride[1] - left for ox in range(width))
        found += (len(rows) - outside) * sum(ix < 0 or ix + op.kernel[1] > x.shape[1] for ix in starts)
    return found
