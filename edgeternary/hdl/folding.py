"""Folding: how many rows (PE) and columns (SIMD) of each matrix are worked on at once.

A layer takes `vectors * rows / pe * columns / simd` cycles a frame; the slowest layer sets the pace of the
pipeline. The pace aimed at is the graph's MACs over MACS_PER_CYCLE, but no faster than the input comes in;
each layer then takes the cheapest fold that keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeternary.ir import Graph, Op, Value, parse
from edgeternary.ops import Conv2d, Dense

MACS_PER_CYCLE = 256
MAX_TERMS = 4096  # bits to count a cycle and layer
MAX_ROWS = 128  # rows at once: each has two sums of up to 32 bits
MAX_BITS = 64  # input bits a cycle and layer, where that keeps the pace: wide beats are slow to simulate


@dataclass(frozen=True)
class Fold:
    """`pe` rows times `simd` columns a cycle; results leave `outputs` a beat.

    With `tall` the columns of a beat are simd / ky channels of all ky rows of a convolution's window.
    """

    pe: int
    simd: int
    outputs: int
    tall: bool = False


@dataclass(frozen=True)
class Folding:
    """Folds of the matrix layers by name, and the cycles a frame that other parts have to keep up with."""

    folds: Mapping[str, Fold] = field(default_factory=dict)
    cycles: int = 1


@dataclass(frozen=True)
class Matrix:
    """What folding needs to know of a layer: `vectors` products a frame of a rows x columns matrix.

    `bits` are the bits to count of a product: those of an input times those of a weight beyond its sign.
    Columns of one fold lie in runs of `run` (the channels of one tap); rows in blocks of `block` that share
    their inputs. With `own` every row has its own input (depthwise convolution), and pe cuts `block` rows.
    """

    vectors: int
    rows: int
    columns: int
    run: int
    block: int
    own: bool
    bits: int
    ky: int = 1

    def choices(self) -> list[tuple[int, int, bool]]:
        """(pe, simd, tall) that divide the matrix."""
        simds = [(1, False)] if self.own else [(d, False) for d in divisors(self.run)]
        if self.ky > 1 and not self.own:
            simds += [(d * self.ky, True) for d in divisors(self.run)]
        sizes = [(pe, *simd) for pe in divisors(self.block) for simd in simds]
        return [size for size in sizes if size[0] <= MAX_ROWS and size[0] * size[1] * self.bits <= MAX_TERMS]

    def cycles(self, pe: int, simd: int) -> int:
        """Cycles a frame, see edgeternary_hw.MatrixVector.interval."""
        pass_cycles = max(self.columns // simd, pe // self.outputs(pe, simd) + 1)
        return self.vectors * (self.rows // pe) * pass_cycles

    def cost(self, pe: int, simd: int) -> int:
        """LUTs, roughly.

        A row: 3 for each bit to count, 8 for each bit of its sum (redundant, and again on its way out).
        The layer: 12 for each bit of its input, which is gathered, buffered and fanned out.
        """
        terms = simd * self.bits
        return pe * (3 * terms + 8 * (self.bits + self.columns.bit_length())) + 12 * terms

    def outputs(self, pe: int, simd: int) -> int:
        """The fewest results a beat that leave in the time the next ones take."""
        return next((n for n in divisors(pe) if pe // n < self.columns // simd), pe)


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def matrix(op: Op, x: Value, y: Value) -> Matrix | None:
    """The matrix of a layer, None if it has none."""
    if isinstance(op, Dense):
        rows, columns = op.weights.shape
        return Matrix(1, rows, columns, columns, rows, False, _bits(op, x))
    if isinstance(op, Conv2d):
        rows, ky, kx, ins = op.weights.shape
        own = op.groups > 1 and op.groups == rows == x.channels
        vectors = math.prod(y.shape[:-1])
        block = rows if own else rows // op.groups
        return Matrix(vectors, rows, ky * kx * ins, ins, block, own, _bits(op, x), ky)
    return None


def _bits(op: Dense | Conv2d, x: Value) -> int:
    weight = parse(op.weight_type).bits
    return x.type.bits * (1 if op.weight_type in ("bipolar", "ternary") else weight)


def fold(graph: Graph, macs_per_cycle: int = MACS_PER_CYCLE) -> Folding:
    """The folding that is used unless another is given; the same graph always gets the same."""
    matrices = {}
    for op in graph.ops:
        found = matrix(op, graph.ins(op)[0], graph.values[op.name])
        if found:
            matrices[op.name] = found
    target = max(1, graph.macs() // macs_per_cycle, graph.input.size // graph.input.channels)
    for m in matrices.values():
        target = max(target, min(m.cycles(pe, simd) for pe, simd, _ in m.choices()))
    return Folding({name: _cheapest(m, target) for name, m in matrices.items()}, target)


def _cheapest(m: Matrix, target: int) -> Fold:
    kept = [c for c in m.choices() if m.cycles(*c[:2]) <= target]
    narrow = [c for c in kept if c[1] * m.bits <= MAX_BITS]
    pe, simd, tall = min(narrow or kept, key=lambda c: (m.cost(*c[:2]), m.cycles(*c[:2]), c[2], c))
    return Fold(pe, simd, m.outputs(pe, simd), tall)


def lanes(channels: int, elements: int, cycles: int, fits: int = 1) -> int:
    """The fewest channels a beat that bring `elements` through in `cycles`.

    Of those, numbers that divide `fits` (the next part's channels a beat) or are divided by it go first: a
    width converter between others goes through their common divisor.
    """
    fast = [d for d in divisors(channels) if elements // d <= cycles] or [channels]
    return next((d for d in fast if d % fits == 0 or fits % d == 0), fast[0])
