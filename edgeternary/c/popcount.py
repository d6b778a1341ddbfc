"""What the dense and conv2d kernels on bit planes share: preconditions, rows of weights, epilogue, cost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.c import accumulator, counting, epilogue, weights
from edgeternary.c.counting import Schedule
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Cost, Match
from edgeternary.c.layouts import Layout
from edgeternary.c.tables import Table
from edgeternary.ir import encoding
from edgeternary.ops import Conv2d, Dense
from edgeternary.passes.affine import Affine

DIGIT = 0.5  # of Core.count, for a digit of the carry-save sums that is counted


@dataclass(frozen=True)
class Row:
    """How the `inputs` of one output lie in words: runs of `group` inputs, each at a word border."""

    inputs: int
    group: int

    @property
    def words(self) -> int:
        whole, rest = divmod(self.inputs, self.group)
        return whole * encoding.words(self.group) + encoding.words(rest)

    @property
    def bits(self) -> int:
        return self.words * encoding.WORD


def possible(match: Match, row: Row) -> bool:
    """Ternary or bipolar weights, few planes, and sums that stay well inside int32."""
    op, x = match.ops[0], match.ins[0]
    assert isinstance(op, Dense | Conv2d)
    if not weights.is_packed(op.weight_type) or x.type.bits > accumulator.PLANE_BITS:
        return False
    return _affine(match, row, np.zeros(len(op.bias), bool)).fits()


def constants(match: Match, layout: Layout, row: Row) -> tuple[Table, Epilogue]:
    """Rows of weights and the epilogue. Weights are negated where a threshold falls with the sum."""
    op = match.ops[0]
    assert isinstance(op, Dense | Conv2d)
    negate = epilogue.negated(match.follow, len(op.bias))
    codes = weights.negate(op.weights, negate).reshape(len(op.bias), -1)
    affine = _affine(match, row, negate)
    after = epilogue.of(match, layout, affine, negate)
    return weights.grouped_rows(codes, op.weight_type, row.group), after


def cost(match: Match, row: Row, outputs: int) -> Cost:
    """Estimate for `outputs` rows, epilogue included."""
    op, x, core = match.ops[0], match.ins[0], match.core
    assert isinstance(op, Dense | Conv2d)
    planes = x.type.planes
    short = row.words * planes <= 2  # counted word by word, without carry-save sums
    digits = 1 if short else (row.words * counting.digits(x.type).weight).bit_length()
    cycles = outputs * (row.words * planes * core.count + digits * DIGIT * core.count)
    flash = 4 * row.words * len(op.bias) * (2 if op.weight_type == "ternary" else 1)
    return Cost(cycles + accumulator.epilogue_cycles(match), flash + accumulator.epilogue_flash(match))


def schedule(match: Match, row: Row) -> Schedule:
    op = match.ops[0]
    assert isinstance(op, Dense | Conv2d)
    return counting.schedule(row.words, match.ins[0].type, op.weight_type)


def _affine(match: Match, row: Row, negate: NDArray[np.bool_]) -> Affine:
    op = match.ops[0]
    assert isinstance(op, Dense | Conv2d)
    codes = weights.negate(op.weights, negate).reshape(len(op.bias), -1)
    bias = np.where(negate, -op.bias.astype(np.int64), op.bias)
    return counting.affine(codes, op.weight_type, bias, match.ins[0].type, row.bits)
