"""EDGETERNARY_FULL=1 adds what the daily run leaves out: other cores, compilers and draws of a test."""

import os
from collections.abc import Sequence
from itertools import product
from typing import TypeVar

FULL = bool(os.environ.get("EDGETERNARY_FULL"))
A, B = TypeVar("A"), TypeVar("B")


def pairs(many: Sequence[A], few: Sequence[B]) -> list[tuple[A, B]]:
    """Each of `many` with one of `few` in turn; in the full run with all of them."""
    if FULL:
        return list(product(many, few))
    return [(one, few[number % len(few)]) for number, one in enumerate(many)]
