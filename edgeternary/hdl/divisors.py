"""Sizes that fold well: their divisors lie close together, so that there is a fold for every pace."""

from functools import lru_cache
from itertools import pairwise

WELL = 3.0  # consecutive divisors of a size that folds well are at most this many times apart
NEAT = 2.5  # those of a size that others are padded to


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@lru_cache(maxsize=1024)
def folds_well(size: int, most: float = WELL) -> bool:
    """Whether consecutive divisors of a size are at most `most` times apart."""
    return all(b <= most * a for a, b in pairwise(divisors(size)))


@lru_cache(maxsize=1024)
def roomier(size: int) -> int:
    """The size itself if it folds well, else the next one whose divisors lie close together."""
    if folds_well(size):
        return size
    while not folds_well(size, NEAT):
        size += 1
    return size
