"""The bit planes of a constant matrix, and the constant part of its sums, the same for every folding."""

from collections.abc import Sequence

from .compress import Shape
from .element import Element

__all__ = ["WeightPlanes", "weight_planes"]

Plane = list[list[int]]


def weight_planes(weights: Sequence[Sequence[int]]) -> list[Plane]:
    """Planes j with entries in {-1, 0, +1} so that weights = sum_j 2^j plane_j; one plane up to ternary."""
    rows = [[int(w) for w in row] for row in weights]
    low, high = min(map(min, rows)), max(map(max, rows))
    if low >= -1 and high <= 1:
        return [rows]
    width = max(int(high).bit_length() + 1, (-low - 1).bit_length() + 1) if low < 0 else high.bit_length()
    planes = [[[w >> j & 1 for w in row] for row in rows] for j in range(width)]
    if low < 0:
        planes[-1] = [[-b for b in row] for row in planes[-1]]
    return planes


class WeightPlanes:
    """A matrix of `rows` x `columns`, taken apart once for all parts that are made of it.

    planes     see `weight_planes`
    values     the entries of each plane
    sums       of each row
    negatives  of each row, its entries -1, those of plane j counted 2^j times
    nonzeros   likewise, its entries other than 0
    shapes     what a beat's sum looks like, by folding: for MatrixVector to keep
    """

    def __init__(self, weights: Sequence[Sequence[int]]) -> None:
        self.rows, self.columns = len(weights), len(weights[0])
        self.shapes: dict[tuple[int, int, bool, Element], Shape] = {}
        self.planes = weight_planes(weights)
        self.values = [{w for row in plane for w in row} for plane in self.planes]
        rows = range(self.rows)
        positive = [self._count(r, 1) for r in rows]
        self.negatives = [self._count(r, -1) for r in rows]
        self.sums = [p - n for p, n in zip(positive, self.negatives, strict=True)]
        self.nonzeros = [p + n for p, n in zip(positive, self.negatives, strict=True)]

    def _count(self, row: int, entry: int) -> int:
        return sum(plane[row].count(entry) << j for j, plane in enumerate(self.planes))
