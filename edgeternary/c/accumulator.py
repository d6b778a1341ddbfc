"""What the dense and conv2d kernels on natural inputs share: weights, reach of the sum, epilogue."""

import numpy as np

from edgeternary.c import epilogue, weights
from edgeternary.c.epilogue import Epilogue, Made
from edgeternary.c.kernel import Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, planes
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d, Dense, Requantize, Threshold
from edgeternary.passes.affine import Affine

UNROLLED = 3  # thresholds of `_epilogue.c.j2` without a loop
THRESHOLD = 0.75  # of Core.touch, for a comparison in a loop over thresholds; a value without one takes 1
PLANE_BITS = 8  # widest type that kernels read and write as bit planes


def output_layouts(match: Match) -> list[Layout]:
    """Layouts that an epilogue can write the result of `match` in."""
    layouts: list[Layout] = [NATURAL]
    packed = planes(match.out)
    if match.out.type.bits <= PLANE_BITS and epilogue.supports(match.follow, packed):
        layouts.append(packed)
    return layouts


def reach(op: Dense | Conv2d, x: Value) -> int:
    """A bound on |sum of products|, without the bias."""
    peak = max(abs(x.lo), abs(x.hi))
    if isinstance(op, Conv2d) and any(op.pad):
        peak = max(peak, abs(op.pad_value))
    return peak * int(np.abs(op.weights.reshape(len(op.bias), -1).astype(np.int64)).sum(axis=1).max())


def fits(match: Match, op: Dense | Conv2d) -> bool:
    """Whether an epilogue other than a store can fold the bias into its constants."""
    bound = reach(op, match.ins[0])
    return match.follow is None or Affine(1, op.bias.astype(np.int64), -bound, bound).fits()


def codes_and_epilogue(
    match: Match, offer: Offer, op: Dense | Conv2d, made: Made = epilogue.of
) -> tuple[weights.Codes, Epilogue]:
    """Weights (out, n), negated where a threshold falls with the sum, and the epilogue on raw = sum w * x."""
    negate = epilogue.negated(match.follow, len(op.bias)) & weights.can_negate(op.weight_type)
    codes = weights.negate(op.weights, negate).reshape(len(op.bias), -1)
    offset = np.where(negate, -op.bias.astype(np.int64), op.bias)
    bound = reach(op, match.ins[0])
    affine = Affine(1, offset, -bound, bound)
    return codes, made(match, offer.out, affine, negate)


def weights_and_epilogue(match: Match, offer: Offer, op: Dense | Conv2d) -> tuple[Table, Epilogue]:
    """The same with the weights as a table."""
    codes, after = codes_and_epilogue(match, offer, op)
    return weights.rows(codes, op.weight_type), after


def value_cycles(match: Match) -> float:
    """Cycles that the epilogue takes for one value, roughly; more than three thresholds take a loop."""
    if isinstance(match.follow, Requantize):
        return rescale.cycles(match.follow, match.outs[0], match.core)
    levels = match.follow.t.shape[1] if isinstance(match.follow, Threshold) else 0
    return match.core.touch * (1 + THRESHOLD * levels if levels > UNROLLED else 1)


def rescaled_cycles(match: Match) -> float:
    """Cycles that a requantize takes for one value beyond those of form A."""
    if not isinstance(match.follow, Requantize):
        return 0
    return rescale.cycles(match.follow, match.outs[0], match.core) - match.core.touch


def epilogue_cycles(match: Match) -> float:
    """Cycles that the epilogue takes for all values, roughly."""
    return match.out.size * value_cycles(match)


def epilogue_flash(match: Match) -> int:
    """Bytes of the epilogue's tables, roughly."""
    thresholds = getattr(match.follow, "t", None)
    return 4 * match.outs[0].channels if thresholds is None else 2 * int(thresholds.size)
