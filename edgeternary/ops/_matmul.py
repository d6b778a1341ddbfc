"""Exact integer matrix products at the speed of the floating-point library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def exact_matmul(x: NDArray[np.int32], w: NDArray[np.integer], bound: int) -> NDArray[np.int32]:
    """x @ w for integers whose partial sums stay within +-bound.

    x (..., n), w (n, m). Below 2^24 every partial sum is a float32, below 2^53 a float64, so the
    floating-point product is exact in any order of summation; int32 accumulators always are below 2^31.
    """
    dtype: Any = np.float32 if bound < 2**24 else np.float64
    return np.rint(x.astype(dtype) @ w.astype(dtype)).astype(np.int32)
