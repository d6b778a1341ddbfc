"""What every kind of step after a sum of lanes says about itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from edgeternary.c import epilogue
from edgeternary.c.lanes import text1
from edgeternary.c.lanes.program import Group, Wide, weights
from edgeternary.c.lanes.text_c import stored
from edgeternary.c.lanes.walk import Walk
from edgeternary.c.layouts import lane_unit
from edgeternary.cores import Core
from edgeternary.described import Described
from edgeternary.ir import IntArray, Value
from edgeternary.ops import Conv2d, Requantize, Threshold

ANY = 2**31  # parts of a sum: as many as it needs


@dataclass(frozen=True)
class Reach:
    """Codes in a lane lie in [lo, hi]; an accumulator is unit * S + offset[c]."""

    lo: int
    hi: int
    unit: int
    offset: Wide
    bits: int

    @staticmethod
    def of(op: Conv2d, codes: IntArray, factors: Wide, x: Value, padded: bool, bits: int) -> Reach:
        """For weights `codes` (out, ...), those of `op` times `factors`, on x in lanes of `bits` bits."""
        lo, hi, unit = x.lo, x.hi, lane_unit(x.type)
        if padded:
            lo, hi = min(lo, op.pad_value), max(hi, op.pad_value)
        total = codes.reshape(len(codes), -1).astype(np.int64).sum(axis=1)
        offset = factors * op.bias.astype(np.int64) + x.type.lo * total
        return Reach((lo - x.type.lo) // unit, (hi - x.type.lo) // unit, unit, offset, bits)

    @property
    def most(self) -> int:
        """What the weights of a sum in one lane may add up to, whatever their signs."""
        return (2**self.bits - 1) // max(self.hi - self.lo, 1)


@dataclass(frozen=True)
class Case:
    """What a kind decides from.

    follow     the op after the sum;  out  its result
    low, high  (C,) ends of each channel's sum, which includes the factors of `signs`
    natural    the results go to bytes of natural layout, else to lanes
    drop       bits that sums have lost on the way, see `lanes/stages`
    acc        the accumulators that the sums are, where they are those of a convolution
    """

    follow: object
    low: Wide
    high: Wide
    reach: Reach
    out: Value
    core: Core
    natural: bool = False
    drop: int = 0
    acc: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Cycles:
    """Cycles for one output in all lanes, stores apart unless the kind `stores`: instructions of the texts,
    where a load takes 2, fitted to counts of whole layers, which `edgeternary bench --layer` repeats.

    thumb1, thumb2  of one word;  helium  of a register of four words;  0 where no such core takes the kind
    """

    thumb1: float
    thumb2: float
    helium: float


@dataclass(frozen=True, kw_only=True)
class After(Described, abstract=True):
    """A kind of step.

    start  (C,) constant that a lane starts from, without the parts of `Sums`
    codes  a table that the function takes as its last argument: the code of each shifted lane

    kind   its name, for templates
    formula  what it computes, for a comment in the generated text
    parts  least and most parts that a sum is cut into, each with lanes of its own; most is 1 where the whole
           sum is proven to fit, and a part has any number of terms
    spare  its Thumb-2 text needs two registers more than the additions
    stores its cycles include the stores, where its text has its own
    y_stays1, y_stays2  after its Thumb-1 or Thumb-2 text r1 holds y
    """

    kind: ClassVar[str]
    formula: ClassVar[str]
    parts: ClassVar[tuple[int, int]] = (1, 1)
    spare: ClassVar[bool] = False
    stores: ClassVar[bool] = False
    y_stays1: ClassVar[bool] = False
    y_stays2: ClassVar[bool] = False

    start: Wide
    codes: IntArray | None = None

    @classmethod
    @abstractmethod
    def plan(cls, case: Case) -> Self | None:
        """None where `case` is not for this kind, or lanes are too narrow for it."""

    @abstractmethod
    def c(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        """C that follows the sums of a part, in a0, a1, ..., up to the stores after the last part."""

    @abstractmethod
    def thumb1(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        """The same in 16-bit instructions; the sums are where `saved1` left them."""

    @abstractmethod
    def thumb2(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterable[str]:
        """The same as Thumb-2, for sums in `accs`."""

    @abstractmethod
    def helium(self, group: Group, part: int, walk: Walk, accs: Sequence[str]) -> Iterable[str]:
        """The same in vector registers, for four words at a time in each of `accs`."""

    @abstractmethod
    def cycles(self) -> Cycles:
        """An estimate for one output."""

    @abstractmethod
    def words(self, group: Group, bits: int, ones: int) -> list[int]:
        """Constants of a group after its starts; `ones` has a 1 in every lane of `bits` bits."""

    def starts(self, group: Group, reach: Reach) -> list[int]:
        """What the lanes of each output start from, part by part."""
        return self.start[group.first : group.first + group.size].tolist()

    def says(self, last: bool) -> str:
        """A comment for the text after a part."""
        return self.formula if last else "these sums wait in the frame"

    def kept(self, group: Group) -> int:
        """The number of parts whose sums wait in the frame."""
        return 0

    def alike(self) -> Self | None:
        """The same function with one text for all groups of a size, if there is one: it can be a routine."""
        return None

    def routine2(self, group: Group, walk: Walk, accs: Sequence[str]) -> Iterable[str]:
        """The Thumb-2 text after the last part, as a routine; a kind whose text changes lr saves it."""
        yield from self.thumb2(group, len(group.parts) - 1, walk, accs)
        yield "bx lr"

    def entry1(self, walk: Walk) -> Iterable[str]:
        """Thumb-1 text before the loop."""
        return ()

    def saved1(self, group: Group, part: int, walk: Walk) -> Iterable[str]:
        """Thumb-1 text that moves the sums of a part from registers to the frame."""
        yield from text1.low_sums(group.size, text1.SUMS)
        yield from text1.high_sums(group.size, group.parts[part])


@dataclass(frozen=True, kw_only=True)
class LaneWise(After, abstract=True):
    """A kind whose results are lanes again, which then are stored; it also has the C of one word."""

    has_dsp_c: ClassVar[bool] = False

    @property
    def levels(self) -> int:
        """The number of thresholds."""
        return 0

    @abstractmethod
    def word_c(self, group: Group, i: int, bits: int, ones: int) -> Iterable[str]:
        """C that turns the sum a{i} of output i of the group into its result; `v` is a temporary."""

    def dsp_c(self, group: Group, i: int, bits: int, ones: int) -> Iterable[str]:
        """The same with DSP instructions, where `has_dsp_c`."""
        return ()

    def cycles_c(self, core: Core) -> float:
        """Of a word in a loop in C, loads and stores included."""
        return C_WORD + C_COMPARE * self.levels

    def c(self, group: Group, part: int, walk: Walk) -> Iterator[str]:
        for i in range(group.size):
            yield from self.word_c(group, i, walk.bits, walk.ones)
            yield from stored(i, walk)


C_WORD, C_COMPARE = 10, 5  # cycles of a word of `add_lanes`, and of a comparison in all its lanes


def signs(follow: object, count: int) -> Wide:
    """(C,) factors of the weights: -1 where what follows falls with the sum, 0 where it ignores it."""
    if isinstance(follow, Requantize) and follow.rounding != "tflite_double":
        m = follow.m.astype(np.int64)
        return m if np.abs(m).max() <= 1 else np.ones(count, np.int64)
    if isinstance(follow, Threshold):
        return np.where(epilogue.negated(follow, count), -1, 1).astype(np.int64)
    return np.ones(count, np.int64)


def part_start(group: Group, part: int, reach: Reach) -> list[int]:
    """What the lanes of a part start from: minus its smallest sum."""
    start = [0] * group.size
    for i, weight in weights(group.parts[part]):
        start[i] -= weight * (reach.hi if weight < 0 else reach.lo)
    return start
