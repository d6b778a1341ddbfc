"""Sliding windows: sizes and paddings as TFLite defines them, and dilated weights."""

import numpy as np

from edgeternary.frontends.tflite.net import refuse
from edgeternary.frontends.tflite.records import Operator
from edgeternary.ir import Value
from edgeternary.ops.window import Padding, Pair

MOST = 1 << 15
MOST_WEIGHTS = 1 << 26


def stride(operator: Operator) -> Pair:
    """(sy, sx)."""
    found = int(operator.options.get("StrideH", 0)), int(operator.options.get("StrideW", 0))
    if not all(1 <= n <= MOST for n in found):
        raise refuse(operator, f"its stride is {found}")
    return found


def padding(operator: Operator, x: Value, kernel: Pair) -> Padding:
    """(top, left, bottom, right) of SAME, which puts an odd pixel below and to the right; 0 for VALID."""
    if not all(1 <= n <= MOST for n in kernel):
        raise refuse(operator, f"its window is {kernel}")
    kind = int(operator.options.get("Padding", 0))
    if kind not in (0, 1):
        raise refuse(operator, f"its padding is of the unknown kind {kind}")
    if kind == 1:
        return 0, 0, 0, 0
    totals = [
        max((-(-size // step) - 1) * step + k - size, 0)
        for size, step, k in zip(x.shape[:2], stride(operator), kernel, strict=True)
    ]
    top, left = (total // 2 for total in totals)
    return top, left, totals[0] - top, totals[1] - left


def dilated(operator: Operator, weights: np.ndarray) -> np.ndarray:
    """Weights (out, ky, kx, in) with zeros between rows and columns."""
    fy, fx = (int(operator.options.get(name, 1)) for name in ("DilationHFactor", "DilationWFactor"))
    if fy == fx == 1:
        return weights
    out, ky, kx, n = weights.shape
    wide = ((ky - 1) * fy + 1, (kx - 1) * fx + 1)
    if min(fy, fx) < 1 or max(wide) > MOST or out * wide[0] * wide[1] * n > MOST_WEIGHTS:
        raise refuse(operator, f"its window becomes {wide} by a dilation of {(fy, fx)}")
    spread = np.zeros((out, *wide, n), weights.dtype)
    spread[:, ::fy, ::fx] = weights
    return spread
