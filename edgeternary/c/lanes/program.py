"""Straight-line programs for sums of words: which words to load, which accumulators to add them to.

Weights are a list of (output, distance of the word, weight), each a sum of few digits +-2^k: a digit is one
addition of a shifted word. Outputs are cut into groups that fit the registers. A group walks over its words
once, in order of their distance, several words a load (LDM).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.lanes import digits as lanes_digits
from edgeternary.c.lanes.window import Window
from edgeternary.c.layouts import Words
from edgeternary.ir import IntArray, Value
from edgeternary.ops import Conv2d

Wide = NDArray[np.int64]
OVERHEAD = 20  # instructions of a group for one output, beside loads and additions


@dataclass(frozen=True)
class Registers:
    """accumulators: outputs of a group; words: words of one load; triples: words may be tripled in place."""

    accumulators: int
    words: int
    triples: bool = False


@dataclass(frozen=True)
class Load:
    """`skip` words are passed over, then for each of the next words comes the list of (accumulator, digit).

    A digit is 2^k or -2^k: how often the word is added. It may be 3 * 2^k too; those come last.
    """

    skip: int
    terms: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Cut:
    """Between two stages: every lane loses its `drop` lowest bits, and the sums go on.

    start  (size,) what the lanes of the stage before it start from;  left  (size,) what remains of that
    """

    drop: int
    start: tuple[int, ...]
    left: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Group:
    """Outputs first .. first + size - 1. `parts` are loads whose sums fit their lanes one by one.

    cuts  those between parts that are stages of one sum, see `lanes/stages`; none where parts are sums of
          their own
    places  of parts whose sums count 2^place times, see `lanes/after/wide`; none where all count once
    """

    first: int
    size: int
    parts: tuple[tuple[Load, ...], ...]
    cuts: tuple[Cut, ...] = ()
    places: tuple[int, ...] = ()

    def says(self, part: int) -> str:
        """A comment for the sums of a part."""
        last = self.first + self.size - 1
        outputs = f"outputs {self.first} to {last}" if self.size > 1 else f"output {last}"
        if part and self.cuts:
            return f"{outputs}, stage {part}: the next digits of the weights"
        return f"{outputs}{f', part {part}' if part else ''}: starts, then additions of words"

    @cached_property
    def additions(self) -> int:
        return sum(len(terms) for part in self.parts for load in part for terms in load.terms)

    @cached_property
    def triples(self) -> int:
        """Words that are tripled on the way."""
        words = [terms for part in self.parts for load in part for terms in load.terms]
        return sum(any(digit % 3 == 0 for _, digit in terms) for terms in words)

    @cached_property
    def shifted(self) -> int:
        """Additions of a word that is shifted."""
        return sum(
            abs(digit) not in (1, 3)
            for part in self.parts
            for load in part
            for t in load.terms
            for _, digit in t
        )

    @cached_property
    def shifts(self) -> int:
        """Shifts of words where an addition cannot shift: one for each distance from 0."""
        words = [terms for part in self.parts for load in part for terms in load.terms]
        return sum(len({abs(digit) for _, digit in terms} - {1}) for terms in words)

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
    """Weights (out, ...) of a convolution as rows of (word, weight): words are distances in the layout."""

    words: tuple[IntArray, ...]
    weights: tuple[IntArray, ...]

    @staticmethod
    def of(op: Conv2d, codes: IntArray, x: Value, window: Window, layout: Words) -> Matrix:
        """Distances count from the first word of the window of output (0, 0)."""
        outs, height, width, ins = codes.shape
        upright = codes if window.kernel == (height, width) else codes.transpose(0, 2, 1, 3)
        words, weights = [], []
        for o in range(outs):
            first = o // (outs // op.groups) * ins
            y, q, c = np.nonzero(upright[o])
            words.append(((y * layout.width + q) * x.channels + first + c).astype(np.int32))
            weights.append(upright[o][y, q, c].astype(np.int32))
        return Matrix(tuple(words), tuple(weights))

    def dense(self) -> tuple[Wide, Wide]:
        """(words (n,), weights (C, n)), where outputs without a word have a weight of 0."""
        words = np.unique(np.concatenate(self.words)).astype(np.int64)
        found = np.zeros((len(self.words), len(words)), np.int64)
        for row, (at, values) in enumerate(zip(self.words, self.weights, strict=True)):
            found[row, np.searchsorted(words, at)] = values
        return words, found

    def interval(self, lo: int, hi: int) -> tuple[Wide, Wide]:
        """[smallest, largest] sum of each row when every word holds codes in [lo, hi]."""
        plus = np.array([w[w > 0].sum() for w in self.weights], np.int64)
        minus = np.array([-w[w < 0].sum() for w in self.weights], np.int64)
        return lo * plus - hi * minus, hi * plus - lo * minus


@lru_cache(maxsize=256)
def groups(matrix: Matrix, choices: tuple[Registers, ...], limit: int, least: int = 1) -> tuple[Group, ...]:
    """Groups with the registers that need the fewest instructions: of nearly equal size, or where outputs and
    registers come in fours, of fours.

    The weights of a part of a sum add up to at most `limit`; all have equally many parts, `least` or more.
    """
    found = [_groups(matrix, registers, limit, least) for registers in choices]
    return tuple(min(found, key=lambda groups: sum(group.loads + group.skips + OVERHEAD for group in groups)))


def ranges(count: int, registers: Registers) -> list[range]:
    """Outputs of each group."""
    pieces = -(-count // registers.accumulators)
    if count % 4 == registers.accumulators % 4 == 0:
        borders = [*range(0, count, registers.accumulators), count]
    else:
        borders = [count * i // pieces for i in range(pieces + 1)]
    return [range(first, end) for first, end in pairwise(borders)]


def _groups(matrix: Matrix, registers: Registers, limit: int, least: int) -> list[Group]:
    found = ranges(len(matrix.words), registers)
    parted = [_parts(matrix, rows, limit, registers) for rows in found]
    most = max(least, *(len(parts) for parts in parted))
    return [
        Group(
            rows.start,
            len(rows),
            tuple(tuple(loads(part, registers.words)) for part in parts + [[]] * (most - len(parts))),
        )
        for rows, parts in zip(found, parted, strict=True)
    ]


Terms = list[tuple[int, list[tuple[int, int]]]]


def _parts(matrix: Matrix, rows: range, limit: int, registers: Registers) -> list[Terms]:
    """Terms by word, in ascending order, cut where the weights of an accumulator are all that it may have."""
    words, weights = [matrix.words[row] for row in rows], [matrix.weights[row] for row in rows]
    found = terms(words, weights, registers)
    if max(int(np.abs(matrix.weights[row]).sum()) for row in rows) <= limit:
        return [found]
    return cut(found, len(rows), limit)


def cut(found: Terms, size: int, limit: int) -> list[Terms]:
    """Terms of `size` accumulators in parts that have weights of at most `limit` each."""
    parts: list[Terms] = [[]]
    filled = [0] * size
    for word, added in found:
        weights = _sum_of(added)
        if any(filled[i] + abs(weight) > limit for i, weight in weights.items()):
            parts.append([])
            filled = [0] * size
        for i, weight in weights.items():
            filled[i] += abs(weight)
        parts[-1].append((word, added))
    return parts


def terms(
    words: Sequence[NDArray[np.integer]], weights: Sequence[NDArray[np.integer]], registers: Registers
) -> Terms:
    """Of outputs with `words` and their `weights`: terms by word, in ascending order."""
    outputs = np.repeat(np.arange(len(words)), [len(row) for row in words])
    entry, digits = _digits(np.concatenate(words), np.concatenate(weights), registers)
    found = np.concatenate(words)[entry]
    order = np.lexsort((outputs[entry], digits % 3 == 0, found))
    pairs = list(zip(outputs[entry][order].tolist(), digits[order].tolist(), strict=True))
    unique, first = np.unique(found[order], return_index=True)
    starts = [*first.tolist(), len(pairs)]
    return [(word, pairs[a:b]) for word, (a, b) in zip(unique.tolist(), pairwise(starts), strict=True)]


def _digits(
    words: NDArray[np.integer], weights: NDArray[np.integer], registers: Registers
) -> tuple[Wide, Wide]:
    """(entry, digit) of all weights; a word is tripled where that saves more than the addition it takes."""
    plain = lanes_digits.expanded(weights)
    if not registers.triples or len(plain[0]) == len(weights):
        return plain
    triple = lanes_digits.expanded(weights, lanes_digits.TRIPLE)
    saved = np.bincount(words[plain[0]]) - np.bincount(words[triple[0]])
    tripled = (saved > 1)[words]
    kept = [
        (entry[tripled[entry] == which], digits[tripled[entry] == which])
        for which, (entry, digits) in ((False, plain), (True, triple))
    ]
    entry, digits = (np.concatenate(pair) for pair in zip(*kept, strict=True))
    return entry, digits


def of_dense(words: Wide, weights: Wide, registers: Registers) -> Terms:
    """Terms of weights (outputs, n) of words (n,)."""
    used = [np.flatnonzero(row) for row in weights]
    own = [row[at] for row, at in zip(weights, used, strict=True)]
    return terms([words[at] for at in used], own, registers)


def _sum_of(added: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The weight of each accumulator in the terms of one word."""
    found: dict[int, int] = {}
    for i, digit in added:
        found[i] = found.get(i, 0) + digit
    return found


def weights(part: Sequence[Load]) -> Iterator[tuple[int, int]]:
    """(accumulator, weight), for each word of a part and each weight that it has."""
    for load in part:
        for added in load.terms:
            yield from _sum_of(added).items()


def loads(found: Terms, most: int) -> Iterator[Load]:
    """Neighbouring words share a load; unused words between them come along."""
    at = index = 0
    while index < len(found):
        first = found[index][0]
        added: list[tuple[tuple[int, int], ...]] = []
        while index < len(found) and found[index][0] - first < most:
            added += [()] * (found[index][0] - first - len(added))
            added.append(tuple(found[index][1]))
            index += 1
        yield Load(first - at, tuple(added))
        at = first + len(added)


def reach(load: Sequence[Load]) -> int:
    """Words from the beginning to the end of some loads."""
    return sum(item.skip + len(item.terms) for item in load)
