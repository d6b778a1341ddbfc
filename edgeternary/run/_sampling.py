"""Choosing the next symbol from integer logits by integers alone, so that every executor chooses alike.

Symbol i has the weight 2^(-d_i) with d_i = (max - logit_i) * logit_scale * log2(e) / temperature, in units of
2^-20: d is taken to 8 fraction bits, they index a table of 256 powers, the rest is a shift. A symbol is drawn
by a 32-bit number of a xorshift generator (Marsaglia, 2003, shifts 13, 17, 5).
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import IntArray

FRACTION = 8  # fraction bits of d
WEIGHT = 20  # fraction bits of a weight
FINE = 32  # fraction bits of the factor from logits to d
MASK = 0xFFFFFFFF

Choose = Callable[[IntArray], int]


@cache
def powers() -> tuple[int, ...]:
    """The table: floor(2^(WEIGHT - k / 256)), k = 0..255, by integer roots."""
    parts = 1 << FRACTION
    found = []
    for k in range(parts):
        target = 1 << (WEIGHT * parts - k)
        value = int(2 ** (WEIGHT - k / parts))
        value -= value**parts > target
        value += (value + 1) ** parts <= target
        found.append(value)
    return tuple(found)


class Xorshift32:
    """Numbers of 32 bits, never 0; the same for the same seed everywhere."""

    def __init__(self, seed: int) -> None:
        self.state = (seed * 2654435769 + 1) & MASK or 1

    def next(self) -> int:
        x = self.state
        x ^= x << 13 & MASK
        x ^= x >> 17
        x ^= x << 5 & MASK
        self.state = x
        return x


def weights(logits: IntArray, factor: int) -> list[int]:
    """Weights of int32 logits (n,), 2^WEIGHT for the largest; factor: 2^FINE times d's units a logit."""
    gaps = int(logits.max()) - logits.astype(np.int64)
    table, result = powers(), []
    for gap in gaps.tolist():
        d = gap * factor >> FINE
        result.append(table[d & (1 << FRACTION) - 1] >> min(d >> FRACTION, WEIGHT + 1))
    return result


def chooser(logit_scale: float, temperature: float, seed: int) -> Choose:
    """A function from logits (n,) to an index: argmax (ties to the lowest) at temperature 0, else a draw.

    EdgeTernaryError (exit code 2) for a temperature that is negative or no number.
    """
    if not 0 <= temperature < math.inf:
        raise EdgeTernaryError(
            f"a temperature of {temperature:g}", "it is 0 for the likeliest symbol, or above", code=USAGE
        )
    if temperature == 0:
        return lambda logits: int(logits.argmax())
    factor = round(logit_scale / math.log(2) / temperature * (1 << FRACTION + FINE))
    random = Xorshift32(seed)

    def choose(logits: IntArray) -> int:
        shares = np.cumsum(weights(logits, factor))
        place = random.next() * int(shares[-1]) >> 32
        return int(np.searchsorted(shares, place, side="right"))

    return choose
