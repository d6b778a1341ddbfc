"""What lower() is told about its input: scales and zero points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from edgeternary.errors import EdgeTernaryError

Number = TypeVar("Number", int, float)


def one_or_each(
    given: float | Sequence[float], number: Callable[[float], Number]
) -> Number | tuple[Number, ...]:
    """One number, or a tuple with one for each channel of a list, array or tensor; each a `number`."""
    plain: Any = given.tolist() if hasattr(given, "tolist") else given
    each = list(plain) if isinstance(plain, Sequence) and not isinstance(plain, str) else [plain]
    try:
        found = tuple(number(n) for n in each)
        same = all(a == b for a, b in zip(found, each, strict=True))
    except (TypeError, ValueError, OverflowError):
        same = False
    if not same:
        raise EdgeTernaryError(
            f"{str(given)[:80]} is no {number.__name__}, nor one for each channel",
            "input_scale is made of numbers, input_zero of integers",
            "give one number, or a list with one for each channel of the input",
        )
    return found if isinstance(plain, Sequence) else found[0]
