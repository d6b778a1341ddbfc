"""Exact integer matrix products at the speed of the floating-point library."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32_EXACT = 2**24  # every integer up to here is a float32; for float64 it is 2^53


def exact_dtype(bound: int) -> Any:
    """The float type that holds every partial sum within +-bound, so that sums are exact in any order.

    int32 accumulators always are below 2^53.
    """
    return np.float32 if bound < FLOAT32_EXACT else np.float64


def exact_matmul(x: NDArray[Any], w: NDArray[np.integer], bound: int) -> NDArray[np.int32]:
    """x @ w for integers whose partial sums stay within +-bound.

    x (..., n), integers or already of exact_dtype(bound); w (n, m).
    """
    dtype = exact_dtype(bound)
    product: NDArray[Any] = x.astype(dtype, copy=False) @ w.astype(dtype)
    return product.astype(np.int32)
