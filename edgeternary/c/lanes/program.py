"""Straight-line programs for sums of words: which words to load, which accumulators to add them to.

Weights are a list of (output, distance of the word, sign). Outputs are cut into groups that fit the
registers. A group walks over its words once, in order of their distance, several words a load (LDM).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes.window import Window
from edgeternary.c.layouts import Words
from edgeternary.ir import IntArray, Value
from edgeternary.ops import Conv2d

Wide = NDArray[np.int64]
OVERHEAD = 20  # instructions of a group for one output, beside loads and additions


@dataclass(frozen=True)
class Registers:
    """accumulators: outputs of a group; words: words of one load."""

    accumulators: int
    words: int


@dataclass(frozen=True)
class Load:
    """`skip` words are passed over, then for each of the next words comes the list of (accumulator, sign)."""

    skip: int
    terms: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Group:
    """Outputs first .. first + size - 1. `parts` are loads whose sums fit their lanes one by one."""

    first: int
    size: int
    parts: tuple[tuple[Load, ...], ...]

    def says(self, part: int) -> str:
        """A comment for the sums of a part."""
        last = self.first + self.size - 1
        outputs = f"outputs {self.first} to {last}" if self.size > 1 else f"output {last}"
        return f"{outputs}{f', part {part}' if part else ''}: starts, then additions of words"

    @cached_property
    def additions(self) -> int:
        return sum(len(terms) for part in self.parts for load in part for terms in load.terms)

    @cached_property
    def loads(self) -> int:
        return sum(len(part) for part in self.parts)

    @cached_property
    def words(self) -> int:
        return sum(len(load.terms) for part in self.parts for load in part)

    @cached_property
    def skips(self) -> int:
        return sum(load.skip > 0 for part in self.parts for load in part) + len(self.parts)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Weights (out, ...) of a convolution as rows of (word, sign): words are distances in the layout."""

    words: tuple[IntArray, ...]
    signs: tuple[IntArray, ...]

    @staticmethod
    def of(op: Conv2d, codes: IntArray, x: Value, window: Window, layout: Words) -> Matrix:
        """Distances count from the first word of the window of output (0, 0)."""
        outs, height, width, ins = codes.shape
        upright = codes if window.kernel == (height, width) else codes.transpose(0, 2, 1, 3)
        words, signs = [], []
        for o in range(outs):
            first = o // (outs // op.groups) * ins
            y, q, c = np.nonzero(upright[o])
            words.append(((y * layout.width + q) * x.channels + first + c).astype(np.int32))
            signs.append(upright[o][y, q, c].astype(np.int32))
        return Matrix(tuple(words), tuple(signs))

    def interval(self, lo: int, hi: int) -> tuple[Wide, Wide]:
        """[smallest, largest] sum of each row when every word holds codes in [lo, hi]."""
        plus = np.array([np.count_nonzero(s > 0) for s in self.signs], np.int64)
        minus = np.array([np.count_nonzero(s < 0) for s in self.signs], np.int64)
        return lo * plus - hi * minus, hi * plus - lo * minus


@lru_cache(maxsize=256)
def groups(matrix: Matrix, choices: tuple[Registers, ...], limit: int, least: int = 1) -> tuple[Group, ...]:
    """Groups with the registers that need the fewest instructions: of nearly equal size, or where outputs and
    registers come in fours, of fours.

    A part of a sum has at most `limit` terms; all have equally many parts, `least` or more.
    """
    found = [_groups(matrix, registers, limit, least) for registers in choices]
    return tuple(min(found, key=lambda groups: sum(group.loads + group.skips + OVERHEAD for group in groups)))


def _groups(matrix: Matrix, registers: Registers, limit: int, least: int) -> list[Group]:
    count = len(matrix.words)
    pieces = -(-count // registers.accumulators)
    if count % 4 == registers.accumulators % 4 == 0:
        borders = [*range(0, count, registers.accumulators), count]
    else:
        borders = [count * i // pieces for i in range(pieces + 1)]
    ranges = [range(first, end) for first, end in pairwise(borders)]
    cut = [_parts(matrix, rows, limit) for rows in ranges]
    most = max(least, *(len(parts) for parts in cut))
    return [
        Group(
            rows.start,
            len(rows),
            tuple(tuple(_loads(part, registers.words)) for part in parts + [[]] * (most - len(parts))),
        )
        for rows, parts in zip(ranges, cut, strict=True)
    ]


Terms = list[tuple[int, list[tuple[int, int]]]]


def _parts(matrix: Matrix, rows: range, limit: int) -> list[Terms]:
    """Terms by word, in ascending order, cut where an accumulator has all the terms that it may have."""
    counts = [len(matrix.words[row]) for row in rows]
    words = np.concatenate([matrix.words[row] for row in rows])
    signs = np.concatenate([matrix.signs[row] for row in rows])
    order = np.argsort(words, kind="stable")
    outputs = np.repeat(np.arange(len(rows)), counts)[order].tolist()
    terms = list(zip(outputs, signs[order].tolist(), strict=True))
    found, first = np.unique(words[order], return_index=True)
    starts = [*first.tolist(), len(terms)]
    whole = max(counts) <= limit
    parts: list[Terms] = [[]]
    filled = [0] * len(rows)
    for word, (start, end) in zip(found.tolist(), pairwise(starts), strict=True):
        if not whole:
            if any(filled[i] == limit for i in outputs[start:end]):
                parts.append([])
                filled = [0] * len(rows)
            for i in outputs[start:end]:
                filled[i] += 1
        parts[-1].append((word, terms[start:end]))
    return parts


def _loads(terms: Terms, most: int) -> Iterator[Load]:
    """Neighbouring words share a load; unused words between them come along."""
    at = index = 0
    while index < len(terms):
        first = terms[index][0]
        found: list[tuple[tuple[int, int], ...]] = []
        while index < len(terms) and terms[index][0] - first < most:
            found += [()] * (terms[index][0] - first - len(found))
            found.append(tuple(terms[index][1]))
            index += 1
        yield Load(first - at, tuple(found))
        at = first + len(found)


def reach(load: Sequence[Load]) -> int:
    """Words from the beginning to the end of some loads."""
    return sum(item.skip + len(item.terms) for item in load)
