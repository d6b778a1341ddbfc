"""Bit-sliced sums of many small numbers by full adders (carry-save), for many processing elements at once.

A segment is `count` numbers of the planes `low .. low + planes - 1` (plane j weighs 2^j); its bits lie as
[number][plane][element], the processing elements fastest, so that one full adder written on a wide word
serves every processing element. A full adder costs two LUT4 and removes one bit: the floor for popcounts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any

from amaranth import Cat, Const, Module, Signal, Value

__all__ = ["Segment", "Shape", "addends", "compress", "full_adder", "reduce", "results", "single"]

Enable = Callable[[int], AbstractContextManager[None]]
Register = Callable[[list["Segment"]], Any]
Adder = Callable[[list["Segment"]], list["Segment"]]


@dataclass(frozen=True)
class Segment:
    """`count` numbers of `planes` bits from plane `low` on, for each element: bits of `word` from `start`."""

    low: int
    planes: int
    count: int
    elements: int
    word: Any
    start: int = 0

    @property
    def high(self) -> int:
        return self.low + self.planes

    @property
    def size(self) -> int:
        return self.count * self.planes * self.elements

    @property
    def bits(self) -> Any:
        return self.word[self.start : self.start + self.size]

    def numbers(self, first: int, count: int) -> Segment:
        """Numbers first .. first + count - 1."""
        return replace(self, count=count, start=self.start + first * self.planes * self.elements)

    def slice(self, low: int, high: int) -> Segment:
        """Planes low .. high - 1 of a single number."""
        return replace(self, low=low, planes=high - low, start=self.start + (low - self.low) * self.elements)


def full_adder(a: Value, b: Value, c: Value) -> tuple[Value, Value]:
    """Sum and carry of three bit vectors, bit by bit."""
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


def _height(segments: list[Segment]) -> int:
    """The most bits that any plane has."""
    top = max(s.high for s in segments)
    return max(sum(s.count for s in segments if s.low <= k < s.high) for k in range(top))


def full_adders(three: list[Segment]) -> list[Segment]:
    """A sum and a carry one plane up for three segments of the same planes."""
    return results(three[0], *full_adder(*(s.bits for s in three)))


def results(first: Segment, total: Any, carry: Any) -> list[Segment]:
    """A sum and a carry of three segments, of which one is `first`."""
    return [replace(first, word=total, start=0), replace(first, low=first.low + 1, word=carry, start=0)]


def _level(segments: list[Segment], adder: Adder) -> list[Segment]:
    """One level of full adders: every three numbers of a plane become a sum and a carry one plane up."""
    result: list[Segment] = []
    rest: list[Segment] = []
    for s in segments:
        third = s.count // 3
        if third:
            result += adder([s.numbers(k * third, third) for k in range(3)])
        rest += [s.numbers(k, 1) for k in range(3 * third, s.count)]
    while best := _best_triple(rest):
        low, high = max(s.low for s in best), min(s.high for s in best)
        result += adder([s.slice(low, high) for s in best])
        for s in best:
            rest.remove(s)
            result += [s.slice(*ends) for ends in ((s.low, low), (high, s.high)) if ends[0] < ends[1]]
    return result + rest


def _best_triple(rest: list[Segment]) -> list[Segment] | None:
    """Three numbers that share the most planes, or None when no plane has three."""
    best: tuple[int, list[Segment]] = (0, [])
    for i, a in enumerate(rest):
        for j in range(i + 1, len(rest)):
            for c in rest[j + 1 :]:
                three = [a, rest[j], c]
                shared = min(s.high for s in three) - max(s.low for s in three)
                if shared > best[0]:
                    best = (shared, three)
    return best[1] or None


def _merged(segments: list[Segment], word: Value) -> list[Segment]:
    """The segments, sorted by planes, as they lie in a word that holds them all."""
    found: list[Segment] = []
    start = 0
    for (low, planes), same in groupby(segments, lambda s: (s.low, s.planes)):
        count = sum(s.count for s in same)
        found.append(Segment(low, planes, count, segments[0].elements, word, start))
        start += found[-1].size
    return found


def _sorted(segments: list[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda s: (s.low, s.planes))


class Shape:
    """What `compress` makes of segments, without their contents.

    stages  what its registers hold, one after another
    """

    def __init__(self, segments: list[Segment]) -> None:
        self.stages = [segments]
        while _height(segments) > 2:
            word = Const(0, sum(s.size for s in segments))
            segments = _level(_merged(_sorted(segments), word), full_adders)
            self.stages.append(segments)
        self._sizes = [sum(s.size for s in stage) for stage in self.stages]

    @property
    def stage_bits(self) -> int:
        """Flip-flops of all these registers."""
        return sum(self._sizes)

    @property
    def adder_bits(self) -> int:
        """Full adders, counted for each bit: every one takes three bits and leaves two."""
        return self._sizes[0] - self._sizes[-1]

    @cached_property
    def final(self) -> list[Segment]:
        """What `compress` returns."""
        last = self.stages[-1]
        return _merged(_sorted(last), Const(0, sum(s.size for s in last)))


def compress(m: Module, segments: list[Segment], enable: Enable) -> list[Segment]:
    """Registers the segments, again after each level of full adders, until no plane has more than two bits.

    `enable(k)` gives the context in which stage k is written. Returns what the last register holds.
    """
    stages = itertools.count()

    def register(segments: list[Segment]) -> Value:
        stage = next(stages)
        word = Signal(sum(s.size for s in segments), name=f"stage{stage}", reset_less=True)
        with enable(stage):
            m.d.sync += word.eq(Cat(*(s.bits for s in segments)))
        return word

    return reduce(segments, register, full_adders)


def reduce(segments: list[Segment], register: Register, adder: Adder) -> list[Segment]:
    """What `compress` does, for words of any kind that can be cut into slices.

    register  the word that holds the bits of some segments, one after another
    adder     a sum and a carry one plane up for three segments of the same planes, see `results`
    """
    while True:
        segments = _sorted(segments)
        segments = _merged(segments, register(segments))
        if _height(segments) <= 2:
            return segments
        segments = _level(segments, adder)


def addends(segments: list[Segment], width: int) -> tuple[Value, Value]:
    """Segments with at most two bits a plane as two numbers of `width` planes each."""
    singles = [s.numbers(k, 1) for s in segments for k in range(s.count)]
    numbers: list[list[Value]] = [[], []]
    ends = sorted({0, width} | {min(e, width) for s in singles for e in (s.low, s.high)})
    for low, high in pairwise(ends):  # runs of planes with the same segments
        found = [s.slice(low, high).bits for s in singles if s.low <= low and high <= s.high]
        for k in range(2):
            numbers[k].append(found[k] if k < len(found) else Const(0, (high - low) * segments[0].elements))
    return Cat(*numbers[0]), Cat(*numbers[1])


def single(segments: list[Segment]) -> bool:
    """Whether no plane has more than one bit."""
    planes = [k for s in segments for k in range(s.low, s.high)]
    return all(s.count == 1 for s in segments) and len(planes) == len(set(planes))
