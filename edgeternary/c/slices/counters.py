"""Vertical counters of bit slices: word k holds digit k of 32 counters.

In dense_slices, with x = constant + factor * X, X = sum over planes k of +-2^e_k b_k, planes are added from
the highest value down, all counters doubled in between. A plane of negative value is subtracted: counters are
inverted, added to and inverted again. So that they never pass zero, they start at a power of two that is not
exceeded by what is subtracted.
"""

from dataclasses import dataclass

from edgeternary.c import counting
from edgeternary.ir import Type

MAX_PLANES = 4
DIGITS = 16
BATCH = 16  # lists of rows are filled up to a multiple of this


@dataclass(frozen=True)
class Plane:
    """Plane `index` of the packed form, of value +-2^exponent."""

    index: int
    exponent: int
    negative: bool


def planes(type: Type) -> list[Plane]:
    """Planes of a type from the highest value down."""
    use = counting.digits(type).planes
    order = range(len(use)) if type.name == "ternary" else reversed(range(len(use)))
    return [Plane(k, use[k].exponent, use[k].inverted) for k in order]


def start(type: Type, most: int) -> int:
    """What counters start with: 0 if nothing is subtracted, else a power of two that is large enough.

    most  a bound on the sum of one plane
    """
    return 1 << most.bit_length() if any(plane.negative for plane in planes(type)) else 0


def digits(type: Type, most: int) -> int:
    """Digits that no counter leaves at any time."""
    used = planes(type)
    first = start(type, most) << used[0].exponent
    return (first + most * sum(1 << plane.exponent for plane in used)).bit_length()


def fits(type: Type, most: int) -> bool:
    """Whether counters have few planes to count and enough digits."""
    return type.planes <= MAX_PLANES and digits(type, most) <= DIGITS
