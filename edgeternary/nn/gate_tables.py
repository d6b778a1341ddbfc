"""Sigmoid and SiLU as tables of 256 integers: made once here, then used verbatim by every executor.

A gate's argument z is an int8 code, z = code / 16. Sigmoids are in 256ths, 0..255, so that 256 - f is the
share of the new value; SiLU values are in units of 2^-12, which int16 holds up to z = 8.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

CODES = 16  # codes per unit of z
SIGMOID = 256  # units per 1
SILU = 1 << 12
LO, HI = -128, 127  # codes of a gate's argument


def _round(x: NDArray[np.float64]) -> Ints:
    return np.floor(x + 0.5).astype(np.int64)


@cache
def sigmoid_table() -> Ints:
    """(256,): round(256 / (1 + exp(-code / 16))), at most 255, for the codes -128..127."""
    z = np.arange(LO, HI + 1) / CODES
    return np.minimum(_round(SIGMOID / (1 + np.exp(-z))), SIGMOID - 1)


@cache
def rest_table() -> Ints:
    """(256,): 256 - sigmoid_table(), the weight of the new value."""
    return SIGMOID - sigmoid_table()


@cache
def silu_table() -> Ints:
    """(256,): round(4096 z / (1 + exp(-z))) for the codes -128..127 of z = code / 16."""
    z = np.arange(LO, HI + 1) / CODES
    return _round(SILU * z / (1 + np.exp(-z)))
