"""What synthesis leaves of a matrix whose weights repeat, or are zero in every word of a place.

The weights of a place (a row and a column of the fold) are a short word: a number for each pass and beat.
Zeros in all of them make its term a constant, and a full adder with a constant input is smaller: with one a
half adder, with two a wire. Places of equal words in one column have the same term; equal bits have equal
sums.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from edgeternary_hw import MatrixVector
from edgeternary_hw.compress import Segment, Shape, reduce, results

DEEP = 16  # words: from there on hardly two places are equal
NOTHING = 0  # the bit that is always 0
_known: WeakKeyDictionary[Shape, Left] = WeakKeyDictionary()


@dataclass(frozen=True)
class Left:
    """LUTs of the terms and of the full adders, flip-flops of their registers.

    two  of each row, the bits of the adder of the last two numbers;  one  and of their sum
    """

    terms: int
    adders: int
    ffs: int
    two: list[int]
    one: list[int]


def left(part: MatrixVector) -> Left | None:
    """What is left of a matrix; None where nothing is known to repeat or to vanish."""
    shape = part.shape
    if shape not in _known:
        words = [_words(part, plane) for plane in range(len(part.planes))]
        dead = any(not place.any() for plane in words for row in plane for place in row)
        if not dead and words[0].shape[2] > DEEP:
            return None
        _known[shape] = _Trace(part, words).run()
    return _known[shape]


def _words(part: MatrixVector, plane: int) -> NDArray[np.int8]:
    """(row, column, word) of one plane of the weights, rows and columns of the fold."""
    array = np.array(part.planes[plane], np.int8)
    blocks = array.reshape(part.rows // part.pe, part.pe, part.columns // part.simd, part.simd)
    return blocks.transpose(1, 3, 0, 2).reshape(part.pe, part.simd, -1)


class _Trace:
    """The bits of all stages as numbers: equal numbers are equal bits, NOTHING is 0."""

    def __init__(self, part: MatrixVector, words: list[NDArray[np.int8]]) -> None:
        self.part, self.words = part, words
        self.numbers: dict[Hashable, int] = {}
        self.luts = self.terms = self.ffs = 0

    def run(self) -> Left:
        part = self.part
        segments = [
            Segment(j, part.element.width, part.simd, part.pe, self._plane(j)) for j in range(len(self.words))
        ]
        final = reduce(segments, self._register, self._adder)
        counts = np.zeros((max(s.high for s in final), part.pe), int)
        for s in final:
            for k, bit in enumerate(s.bits):
                counts[s.low + k // part.pe % s.planes, k % part.pe] += bit != NOTHING
        width = part.total_width
        return Left(
            self.terms,
            self.luts,
            self.ffs,
            [
                int((counts[:width, r] > 1).any() and width - (counts[:, r] > 1).argmax())
                for r in range(part.pe)
            ],
            [int((counts[:width, r] > 0).sum()) for r in range(part.pe)],
        )

    def _number(self, key: Hashable) -> tuple[int, bool]:
        """The number of a bit, and whether it is new."""
        known = len(self.numbers) + 1
        number = self.numbers.setdefault(key, known)
        return number, number == known

    def _plane(self, j: int) -> list[int]:
        """The terms [column][bit][row] of a plane."""
        part, words = self.part, self.words[j]
        free, bits = part.one_sided(j), []
        for c in range(part.simd):
            for k in range(part.element.width):
                for r in range(part.pe):
                    place = words[r, c]
                    if not place.any():
                        bits.append(NOTHING)
                        continue
                    column = c * part.pe + r if part.own else c
                    number, new = self._number((column, k, place.tobytes()))
                    self.terms += new and not free and not (place == 1).all()
                    bits.append(number)
        return bits

    def _register(self, segments: list[Segment]) -> list[int]:
        word = [bit for s in segments for bit in s.bits]
        self.ffs += len(set(word) - {NOTHING})
        return word

    def _adder(self, three: list[Segment]) -> list[Segment]:
        totals, carries = [], []
        for bits in zip(*(s.bits for s in three), strict=True):
            there = sorted(bit for bit in bits if bit != NOTHING)
            if len(there) < 2:
                totals.append(there[0] if there else NOTHING)
                carries.append(NOTHING)
                continue
            for kind, found in (("sum", totals), ("carry", carries)):
                number, new = self._number((kind, *there))
                self.luts += new
                found.append(number)
        return results(three[0], totals, carries)
