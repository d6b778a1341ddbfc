"""Folding: how many rows (PE) and columns (SIMD) of each matrix are worked on at once.

A layer takes `vectors * rows / pe * columns / simd` cycles a frame; the slowest layer sets the pace of the
pipeline. The pace aimed at is the graph's MACs over MACS_PER_CYCLE, but no faster than the input comes in;
each layer then takes the cheapest fold that keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from edgeternary.hdl.divisors import divisors
from edgeternary.hdl.fold import Fold, Folding
from edgeternary.hdl.part import Answers
from edgeternary.hdl.parts import layers as layers_of_ops
from edgeternary.hdl.passes import prepared
from edgeternary.hdl.passes.pad import Filled
from edgeternary.hdl.passes.together import dealt
from edgeternary.ir import Graph, Op, Value, parse
from edgeternary.ops import Conv2d, Dense, Reshape

MACS_PER_CYCLE = 256
MAX_TERMS = 4096  # bits to count a cycle and layer
MAX_ROWS = 128  # rows at once: each has two sums of up to 32 bits
FAR = 2.0  # times the pace aimed at: from there on padded sizes are looked at
MAX_BITS = 64  # input bits a cycle and layer, where that keeps the pace: wide beats are slow to simulate


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
        return [
            size for size in sizes if size.pe <= MAX_ROWS and size.pe * size.simd * self.bits <= MAX_TERMS
        ]

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
        return Matrix(vectors, rows, ky * kx * ins, ins, block, own, _bits(op, x), ky, kx)
    return None


def _bits(op: Dense | Conv2d, x: Value) -> int:
    weight = parse(op.weight_type).bits
    return x.type.bits * (1 if op.weight_type in ("bipolar", "ternary") else weight)


def fold(
    graph: Graph,
    macs_per_cycle: int = MACS_PER_CYCLE,
    *,
    cycles: int = 0,
    input_bits: int = 0,
    kept: bool = False,
    padded: bool = False,
    wide: bool = False,
) -> Folding:
    """The folding that is used unless another is given; the same graph always gets the same.

    Without a pace, sizes that no fold brings near it are padded.

    cycles      the pace to keep, in place of the graph's MACs over `macs_per_cycle`
    input_bits  that can come in a cycle; 0: a pixel with all its channels
    kept, padded  see Folding
    wide        layers that miss the pace otherwise may take more of a window at once, see Matrix.wider
    """
    original, graph = graph, prepared(graph, padded)
    matrices = layers(graph)
    beats = -(-graph.input.size // max(input_choices(graph, input_bits)))
    wanted = max(1, cycles or original.macs() // macs_per_cycle, beats)
    target = wanted
    for m in matrices.values():
        choices = m.choices() + (m.wider() if wide else [])
        target = max(target, min(m.cycles(c.pe, c.simd, c.full) for c in choices))
    if not cycles and not padded and target > FAR * wanted:
        other = fold(original, macs_per_cycle, input_bits=input_bits, kept=kept, padded=True)
        if target > FAR * other.cycles:
            return other
    folds: dict[str, Fold] = {}
    lanes = {graph.input.name: input_choices(graph, input_bits)}  # channels a beat that a value may come with
    lanes |= {state.value.name: divisors(state.value.channels) for state in graph.states}
    for op in graph.ops:
        before = lanes[op.inputs[0]]
        if op.name in matrices:
            size = graph.ins(op)[0].size
            folds[op.name] = _cheapest(matrices[op.name], target, size, before)
            before = [folds[op.name].outputs]
        if isinstance(op, Filled):
            before = sorted({math.gcd(n, op.value.size) for n in before})
            target = max(target, op.value.size // before[-1])
        lanes[op.name] = before
    return Folding(folds, target, input_bits, kept=kept, padded=padded)


def layers(graph: Graph) -> dict[str, Matrix]:
    """The matrices of a graph by layer name."""
    found = {op.name: matrix(op, graph.ins(op)[0], graph.values[op.name]) for op in graph.ops}
    return {name: replace(m, group=dealt(graph, name)) for name, m in found.items() if m}


def input_choices(graph: Graph, input_bits: int) -> list[int]:
    """Channels of the input that can come in a cycle: of a pixel, of the vector it is read as, or of what
    that is filled up to; then the last beat of a frame need not be full."""
    first = graph.consumers(graph.input.name)
    size = graph.input.channels
    if len(first) == 1 and isinstance(first[0], Reshape | Filled):
        size = graph.values[first[0].name].channels
    most = input_bits // graph.input.type.bits if input_bits else graph.input.channels
    return [d for d in divisors(size) if d <= max(most, 1)]


def input_lanes(graph: Graph, folding: Folding) -> int:
    """Channels of the input a beat: the fewest that keep the pace."""
    first = [folding.folds[name].simd for name in _first_matrices(graph) if name in folding.folds]
    choices = input_choices(graph, folding.input_bits)
    size = graph.input.size
    fast = [d for d in choices if -(-size // d) <= folding.cycles] or choices[-1:]
    if len(first) == 1:
        smooth = [d for d in fast if size // math.gcd(d, first[0]) <= folding.cycles]
        return next(
            (d for d in smooth or fast if d % first[0] == 0 or first[0] % d == 0), (smooth or fast)[0]
        )
    return fast[0]


def _first_matrices(graph: Graph) -> list[str]:
    """Layers with a matrix that the input reaches through element-wise layers alone."""
    found, names = [], [graph.input.name]
    while names:
        for op in graph.consumers(names.pop()):
            if isinstance(op, Dense | Conv2d):
                found.append(op.name)
            elif layers_of_ops()[op.kind].answers is Answers.ELEMENTWISE:
                names.append(op.name)
    return found


def _cheapest(m: Matrix, target: int, size: int, before: list[int]) -> Fold:
    """The cheapest fold that keeps the pace, also through the width converter in front of it, which goes
    through the common divisor of simd and the channels a beat that its `size` inputs come with."""
    kept = [c for c in m.choices() if m.cycles(c.pe, c.simd) <= target]
    wider = [] if kept else [c for c in m.wider() if m.cycles(c.pe, c.simd, c.full) <= target]
    through = {c: m.lanes(c) for c in wider} or {c: c.simd for c in kept}
    kept = kept or wider
    smooth = [c for c in kept if size // max(math.gcd(through[c], lanes) for lanes in before) <= target]
    narrow = [c for c in smooth or kept if c.simd * m.bits <= MAX_BITS]
    best = min(
        narrow or smooth or kept,
        key=lambda c: (m.cost(c.pe, c.simd), m.cycles(c.pe, c.simd, c.full), c.tall, c),
    )
    return Fold(best.pe, best.simd, m.outputs(best.pe, best.simd), *best[2:])


def lanes(channels: int, elements: int, cycles: int, fits: int = 1) -> int:
    """The fewest channels a beat that bring `elements` through in `cycles`.

    Of those, numbers that divide `fits` (the next part's channels a beat) or are divided by it go first: a
    width converter between others goes through their common divisor.
    """
    fast = [d for d in divisors(channels) if elements // d <= cycles] or [channels]
    return next((d for d in fast if d % fits == 0 or fits % d == 0), fast[0])
