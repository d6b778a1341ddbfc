"""Folds: how much of each matrix is worked on in a cycle, and sizes that have a fold for every pace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from edgeternary.ir import Value, parse

MAX_TERMS = 4096  # bits to count a cycle and layer
MAX_ROWS = 128  # rows at once: each has two sums of up to 32 bits
WELL = 3.0  # consecutive divisors of a size that folds well are at most this many times apart
NEAT = 2.5  # those of a size that others are padded to


@dataclass(frozen=True)
class Fold:
    """`pe` rows times `simd` columns a cycle; results leave `outputs` a beat.

    With `tall` the columns of a beat are simd / ky channels of all ky rows of a convolution's window, with
    `wide` simd / (ky kx) channels of all its taps. With `full` a pass of one beat takes one cycle, not two.
    """

    pe: int
    simd: int
    outputs: int
    tall: bool = False
    wide: bool = False
    full: bool = False


@dataclass(frozen=True)
class Folding:
    """Folds of the matrix layers by name, the cycles a frame that other parts have to keep up with, and the
    input bits that may come in a cycle (0: those of a pixel). wired: no folds, weights are wires, see
    hdl.wired; wires: names of layers that are, where others are folded. stages: of what is wired, as equal
    as can be on `fabric`; 0: as many as keep each of them within `period` ns. kept: for block RAMs that
    answer late in the cycle. padded: folds of the sizes that hdl.passes.pad gives the layers. answer_bytes:
    of a beat of the answer that leaves as bytes."""

    folds: Mapping[str, Fold] = field(default_factory=dict)
    cycles: int = 1
    input_bits: int = 0
    wired: bool = False
    wires: tuple[str, ...] = ()
    stages: int = 0
    fabric: str = "ice40"
    period: float = 10.0
    kept: bool = False
    padded: bool = False
    answer_bytes: int = 1


class Choice(NamedTuple):
    """A fold that divides a matrix, see Fold."""

    pe: int
    simd: int
    tall: bool = False
    wide: bool = False
    full: bool = False


@dataclass(frozen=True)
class Matrix:
    """What folding needs to know of a layer: `vectors` products a frame of a rows x columns matrix.

    `bits` are the bits to count of a product: those of an input times those of a weight beyond its sign.
    Columns of one fold lie in runs of `run` (the channels of one tap); rows in blocks of `block` that share
    their inputs. With `own` every row has its own input (depthwise convolution), and pe cuts `block` rows.
    Beats of results hold whole groups of `group` rows, see hdl.passes.together. ky, kx: its window, or 1, 0.
    """

    vectors: int
    rows: int
    columns: int
    run: int
    block: int
    own: bool
    bits: int
    ky: int = 1
    kx: int = 0
    group: int = 1

    def choices(self) -> list[Choice]:
        """What is cheap to build: of a window a tap a beat, or but for depthwise layers a column."""
        simds = [(1, False)] if self.own else [(d, False) for d in divisors(self.run)]
        if self.ky > 1 and not self.own:
            simds += [(d * self.ky, True) for d in divisors(self.run)]
        return self._sized(simds)

    def wider(self) -> list[Choice]:
        """Of convolutions, what takes more of a window at once: depthwise a column of it, any layer all its
        taps; and a pass a cycle where a beat holds it whole."""
        if not self.kx:
            return []
        runs, taps = [1] if self.own else divisors(self.run), self.ky * self.kx
        simds = [(d * self.ky, True, False) for d in runs if self.own and self.ky > 1 and self.kx > 1]
        simds += [(d * taps, False, taps > 1) for d in runs]
        return [c._replace(full=c.simd == self.columns) for c in self._sized(simds)]

    def _sized(self, simds: Sequence[tuple[Any, ...]]) -> list[Choice]:
        """Those of (simd, tall, wide) with every number of rows that is not too large."""
        sizes = [Choice(pe, *simd) for pe in divisors(self.block) if pe % self.group == 0 for simd in simds]
        return [s for s in sizes if s.pe <= MAX_ROWS and s.pe * s.simd * self.bits <= MAX_TERMS]

    def lanes(self, c: Choice) -> int:
        """Channels a beat that the window takes in."""
        taps = self.ky * self.kx if c.wide else self.ky if c.tall else 1
        return c.pe if self.own else c.simd // taps

    def cycles(self, pe: int, simd: int, full: bool = False) -> int:
        """Cycles a frame, see edgeternary_hw.MatrixVector.interval."""
        pass_cycles = max(self.columns // simd, pe // self.outputs(pe, simd) + 1 - full)
        return self.vectors * (self.rows // pe) * pass_cycles

    def cost(self, pe: int, simd: int) -> int:
        """LUTs, roughly.

        A row: 3 for each bit to count, 2 for each bit of its sum (added up, and again on its way out).
        The layer: 3 for each bit of its input, which is gathered and buffered.
        """
        terms = simd * self.bits
        gathered = terms * pe if self.own else terms
        return pe * (3 * terms + 2 * (self.bits + self.columns.bit_length())) + 3 * gathered

    def outputs(self, pe: int, simd: int) -> int:
        """The fewest results a beat that leave in the time the next ones take."""
        groups = [n for n in divisors(pe) if n % self.group == 0]
        return next((n for n in groups if pe // n < self.columns // simd), pe)


def product_bits(weight_type: str, x: Value) -> int:
    """Bits to count of a product: those of an input x times those of a weight beyond its sign."""
    return x.type.bits * (1 if weight_type in ("bipolar", "ternary") else parse(weight_type).bits)


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
