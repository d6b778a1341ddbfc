"""What dense and conv2d share: checks of weights and bias, and the interval of the accumulator.

The interval comes from the real weights. With x in [lo, hi] and output channel c

    max acc[c] = bias[c] + sum(w > 0) w * hi + sum(w < 0) w * lo        (min with lo and hi exchanged)

and no partial sum in any order can leave int32 when |bias[c]| + sum |w| * max |x| < 2^31.
"""

import numpy as np

from edgeternary.ir import Op, parse
from edgeternary.ir.types import INT32_HI

WEIGHT_TYPES = ("bipolar", "ternary", *(f"int{bits}" for bits in range(2, 9)))


def check_weights(op: Op, weights: np.ndarray, weight_type: str, bias: np.ndarray) -> None:
    """Refuse weights outside their type and arrays of other shapes or dtypes."""
    op.require(
        weight_type in WEIGHT_TYPES,
        f"weights of type {weight_type[:20]!r} are not supported",
        f"use one of {', '.join(WEIGHT_TYPES)}",
    )
    op.check_array("weights", weights.shape, "int8")
    op.require(weights.size > 0, "it has no weights")
    op.require(parse(weight_type).contains(weights), f"a weight is not {weight_type}")
    op.check_array("bias", (weights.shape[0],))


def accumulator_interval(op: Op, weights: np.ndarray, bias: np.ndarray, lo: int, hi: int) -> tuple[int, int]:
    """Interval of the accumulators over all channels, after proving that int32 holds every partial sum.

    weights (out, ...), bias (out,), inputs in [lo, hi].
    """
    w = weights.reshape(weights.shape[0], -1).astype(np.int64)
    positive = np.where(w > 0, w, 0).sum(axis=1)
    negative = np.where(w < 0, w, 0).sum(axis=1)
    offset = bias.astype(np.int64)
    worst = np.abs(offset) + (positive - negative) * max(abs(lo), abs(hi))
    if int(worst.max()) > INT32_HI:
        raise op.fail(
            f"output channel {int(worst.argmax())} could reach {int(worst.max()):,}, beyond int32",
            "use fewer inputs, smaller weights or narrower activations in this layer",
            what=f"the accumulator of {op.kind} layer {op.name!r} can overflow",
        )
    low = offset + positive * lo + negative * hi
    high = offset + positive * hi + negative * lo
    return int(low.min()), int(high.max())


def accumulator_bound(weights: np.ndarray, lo: int, hi: int) -> int:
    """A bound on |partial sum| without bias, for `exact_matmul`."""
    sums = np.abs(weights.reshape(weights.shape[0], -1).astype(np.int64)).sum(axis=1)
    return int(sums.max()) * max(abs(lo), abs(hi))
