"""Half the additions for outputs whose weights are all 1 or -1.

Two outputs add the same words. A takes those to which both give the same sign, B the others, with the sign of
the first output:

    first = A + B          second = A - B

so a word is one addition for two outputs. Both start from 0, and constants are added at the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from edgeternary.c.lanes.program import Load

LEAST = 8  # words of a part, fewer are added as they are


@lru_cache(maxsize=1024)
def butterflies(part: tuple[Load, ...], size: int) -> tuple[Load, ...] | None:
    """Terms of A and B in place of outputs 2 k and 2 k + 1; None where an output lacks a word."""
    words = [terms for load in part for terms in load.terms]
    plain = all(len(terms) == size and all(abs(digit) == 1 for _, digit in terms) for terms in words if terms)
    if size < 2 or not plain or sum(map(bool, words)) < LEAST:
        return None
    return tuple(replace(load, terms=tuple(_joined(terms, size) for terms in load.terms)) for load in part)


def _joined(terms: Sequence[tuple[int, int]], size: int) -> tuple[tuple[int, int], ...]:
    signs = dict(terms)
    found = [
        (first + (signs[first] != signs[first + 1]), signs[first]) for first in range(0, size - 1, 2) if signs
    ]
    return tuple(found + [(size - 1, signs[size - 1])] * (size % 2) if signs else found)


def parted(accs: Sequence[str], bits: int) -> Iterator[str]:
    """The two outputs from A and B, in vector registers; q0 is free."""
    for a, b in zip(accs[::2], accs[1::2], strict=False):
        yield from [f"vsub.i{bits} q0, {a}, {b}", f"vadd.i{bits} {a}, {a}, {b}", f"vmov {b}, q0"]
