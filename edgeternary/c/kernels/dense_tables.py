"""dense of 8-bit inputs and ternary or bipolar weights through tables of partial sums.

Five ternary weights are one byte, the place of their partial sum in a table of all 3^5 = 243 (eight bipolar
ones, 2^8 = 256); the table is made once for its inputs and used for every output: 0.2 byte a weight, no
unpacking, no multiplication. Inputs are shifted by their lowest code, so that entries are 16-bit numbers
without a sign and two of them are added in one word:

    ternary   sum w x = sum (w + 1) x' - sum x' + lo sum w          x' = x - lo in [0, R]
    bipolar   sum w x = 2 sum (w + 1) / 2 x' - sum x' + lo sum w
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from edgeternary.c import accumulator, epilogue, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, Natural
from edgeternary.c.tables import Table
from edgeternary.ops import Dense
from edgeternary.passes.affine import Affine

TABLE_BYTES = 512
TOGETHER = 4  # tables that are there at the same time


@dataclass(frozen=True)
class Radix:
    """Digits of a place in the table: `each` weights a byte; digit d counts d * largest / (base - 1)."""

    base: int
    strides: tuple[int, ...]
    reach: int  # largest entry, in units of the largest x'

    @property
    def each(self) -> int:
        return len(self.strides)


# Strides that are even from the fourth trit on, so that blocks of the table begin at a word.
RADIX = {"ternary": Radix(3, (1, 3, 9, 28, 84), 10), "bipolar": Radix(2, (1, 2, 4, 8, 16, 32, 64, 128), 8)}


class DenseTables(Kernel):
    name = "dense_tables"
    code = 800
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        radix = RADIX.get(op.weight_type)
        if radix is None or radix.reach * (x.hi - x.lo) > 0xFFFF or not self._affine(match, op).fits():
            return
        outputs, inputs = op.weights.shape
        tables = -(-inputs // radix.each)
        costs = match.core.figures(COSTS)
        build = costs.trits if radix.base == 3 else costs.bits
        alone = 0
        if match.core.vectors:
            alone = tables % TOGETHER if self._vectors(match, op) else tables
        lookups = (tables - alone) * costs.lookup + alone * SCALAR
        cycles = tables * build + lookups * outputs + accumulator.epilogue_cycles(match)
        cost = Cost(cycles, tables * outputs + accumulator.epilogue_flash(match))
        for layout in accumulator.output_layouts(match):
            in_place = self._in_place(match, op, layout)
            scratch = self._table_bytes(op, radix) + (0 if in_place else 4 * -(-outputs // 8) * 8)
            yield Offer((NATURAL,), layout, cost, scratch=scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        radix = RADIX[op.weight_type]
        negate = epilogue.negated(match.follow, len(op.bias))
        codes = weights.negate(op.weights, negate)
        affine = self._affine(match, op)
        after = epilogue.of(match, offer.out, affine, negate)
        blocks, rest = divmod(op.weights.shape[1], TOGETHER * radix.each)
        fields = {
            "base": radix.base, "each": radix.each, "outputs": len(op.bias), "lo": x.lo, "blocks": blocks,
            "rest": rest, "table_words": self._table_bytes(op, radix) // 4,
            "in_place": self._in_place(match, op, offer.out), "vectors": self._vectors(match, op),
            "e": after.fields,
        }  # fmt: skip
        data = _places(codes, radix, self._vectors(match, op))
        places = Table("weights", data, f"places of {radix.each} weights")
        return Body([places, *after.tables], fields)

    def _vectors(self, match: Match, op: Dense) -> bool:
        """Whether eight outputs are looked up at once: four entries have to fit 16 bits."""
        x = match.ins[0]
        fits = TOGETHER * RADIX[op.weight_type].reach * (x.hi - x.lo) <= 0xFFFF
        return match.core.vectors and fits

    def _in_place(self, match: Match, op: Dense, out: Layout) -> bool:
        """Whether the sums are the result; eight at once would exceed it."""
        whole = len(op.bias) % 8 == 0 or not self._vectors(match, op)
        return match.follow is None and isinstance(out, Natural) and whole

    def _table_bytes(self, op: Dense, radix: Radix) -> int:
        return TABLE_BYTES * (TOGETHER if op.weights.shape[1] >= TOGETHER * radix.each else 1)

    def _affine(self, match: Match, op: Dense) -> Affine:
        """acc = raw + bias + lo * sum w, raw = sum w x'; negated where a threshold falls with the sum."""
        x = match.ins[0]
        negate = epilogue.negated(match.follow, len(op.bias))
        codes = weights.negate(op.weights, negate).astype(np.int64)
        offset = np.where(negate, -1, 1) * op.bias.astype(np.int64) + x.lo * codes.sum(axis=1)
        plus, minus = int((codes > 0).sum(axis=1).max()), int((codes < 0).sum(axis=1).max())
        return Affine(1, offset, -minus * (x.hi - x.lo), plus * (x.hi - x.lo))


@dataclass(frozen=True)
class Costs:
    """Cycles of making a table of 243 and one of 256 entries, and of a lookup; from counts of layers."""

    trits: float
    bits: float
    lookup: float


COSTS = {
    "host": Costs(300, 350, 4), "cortex-m0plus": Costs(500, 660, 7.2), "cortex-m3": Costs(420, 530, 5.1),
    "cortex-m7": Costs(208, 265, 2.5), "cortex-m33": Costs(320, 400, 4),
    "cortex-m55": Costs(175, 210, 0.65),
}  # fmt: skip
SCALAR = 3.1  # a lookup of the M55 one output at a time


def _places(codes: weights.Codes, radix: Radix, vectors: bool) -> np.ndarray:
    """One byte for each output and group of inputs: four groups together, then the rest one by one.

    codes (out, in); the bytes of (block, out, group in block), then of (group, out). With `vectors` the
    former are (block, group in block, out), up to a multiple of eight outputs, each eight in the order 0, 4,
    1, 5, 2, 6, 3, 7.
    """
    outputs, inputs = codes.shape
    values = (codes + 1 if radix.base == 3 else codes > 0).astype(np.int64)
    digits = np.pad(values, [(0, 0), (0, -inputs % radix.each)])
    places = (digits.reshape(outputs, -1, radix.each) * np.array(radix.strides)).sum(axis=2).astype(np.uint8)
    whole = inputs // (TOGETHER * radix.each) * TOGETHER
    blocks = places[:, :whole].reshape(outputs, -1, TOGETHER).transpose(1, 0, 2)
    if vectors:
        eights = np.pad(blocks, [(0, 0), (0, -outputs % 8), (0, 0)])
        eights = eights.reshape(len(blocks), -(-outputs // 8), 2, 4, TOGETHER)
        blocks = eights.transpose(0, 4, 1, 3, 2)
    return np.concatenate([blocks.ravel(), places[:, whole:].T.ravel()])
