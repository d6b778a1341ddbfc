"""Folding: how many rows (PE) and columns (SIMD) of each matrix are worked on at once.

A layer takes `vectors * rows / pe * columns / simd` cycles a frame; the slowest layer sets the pace of the
pipeline. The pace aimed at is the graph's MACs over MACS_PER_CYCLE, but no faster than the input comes in;
each layer then takes the cheapest fold that keeps it.
"""

import math
from dataclasses import replace

from edgeternary.hdl.fold import Fold, Folding, Matrix, divisors
from edgeternary.hdl.part import Answers
from edgeternary.hdl.parts import layers
from edgeternary.hdl.passes import prepared
from edgeternary.hdl.passes.pad import Filled
from edgeternary.hdl.passes.together import dealt
from edgeternary.ir import Graph, Value
from edgeternary.ops import Conv2d, Dense, Reshape

MACS_PER_CYCLE = 256
FAR = 2.0  # times the pace aimed at: from there on padded sizes are looked at
MAX_BITS = 64  # input bits a cycle and layer, where that keeps the pace: wide beats are slow to simulate


def fold(
    graph: Graph,
    macs_per_cycle: int = MACS_PER_CYCLE,
    *,
    cycles: int = 0,
    input_bits: int = 0,
    kept: bool = False,
    padded: bool = False,
    wide: bool = False,
    wires: tuple[str, ...] = (),
) -> Folding:
    """The folding that is used unless another is given; the same graph always gets the same.

    Without a pace, sizes that no fold brings near it are padded.

    cycles      the pace to keep, in place of the graph's MACs over `macs_per_cycle`
    input_bits  that can come in a cycle; 0: a pixel with all its channels
    kept, padded  see Folding
    wires       layers that are not folded
    wide        layers that miss the pace otherwise may take more of a window at once, see Matrix.wider
    """
    original, graph = graph, prepared(graph, padded)
    shapes = {name: m for name, m in matrices(graph).items() if name not in wires}
    beats = max(-(-x.size // max(input_choices(graph, x, input_bits))) for x in graph.inputs)
    wanted = max(1, cycles or original.macs() // macs_per_cycle, beats)
    target = wanted
    for m in shapes.values():
        choices = m.choices() + (m.wider() if wide else [])
        target = max(target, min(m.cycles(c.pe, c.simd, c.full) for c in choices))
    if not cycles and not padded and not wires and target > FAR * wanted:
        other = fold(original, macs_per_cycle, input_bits=input_bits, kept=kept, padded=True)
        if target > FAR * other.cycles:
            return other
    folds: dict[str, Fold] = {}
    # channels a beat that a value may come with
    lanes = {x.name: input_choices(graph, x, input_bits) for x in graph.inputs}
    lanes |= {state.value.name: divisors(state.value.channels) for state in graph.states}
    for op in graph.ops:
        before = lanes[op.inputs[0]]
        if op.name in shapes:
            size = graph.ins(op)[0].size
            folds[op.name] = _cheapest(shapes[op.name], target, size, before)
            before = [folds[op.name].outputs]
        elif op.name in wires:
            before = [graph.values[op.name].channels]
        if isinstance(op, Filled):
            before = sorted({math.gcd(n, op.value.size) for n in before})
            target = max(target, op.value.size // before[-1])
        lanes[op.name] = before
    return Folding(folds, target, input_bits, wires=wires, kept=kept, padded=padded)


def matrices(graph: Graph) -> dict[str, Matrix]:
    """The matrices of a graph by layer name. `top.build` refuses a layer that has no hardware."""
    known = layers()
    found = {
        op.name: known[op.kind].matrix(op, graph.ins(op)[0], graph.values[op.name])
        for op in graph.ops
        if op.kind in known
    }
    return {name: replace(m, group=dealt(graph, name)) for name, m in found.items() if m}


def slowest(graph: Graph, folding: Folding) -> int:
    """Cycles a frame of the slowest matrix as it is folded; 0 without one. It may be far below the pace that
    `folding` has to keep."""
    shapes = matrices(graph)
    return max((shapes[name].cycles(f.pe, f.simd, f.full) for name, f in folding.folds.items()), default=0)


def input_choices(graph: Graph, x: Value, input_bits: int) -> list[int]:
    """Channels of the input `x` that can come in a cycle: of a pixel, of the vector it is read as, or of what
    that is filled up to; then the last beat of a frame need not be full."""
    first = graph.consumers(x.name)
    size = x.channels
    if len(first) == 1 and isinstance(first[0], Reshape | Filled):
        size = graph.values[first[0].name].channels
    most = input_bits // x.type.bits if input_bits else x.channels
    return [d for d in divisors(size) if d <= max(most, 1)]


def input_lanes(graph: Graph, folding: Folding, x: Value) -> int:
    """Channels of the input `x` a beat: the fewest that keep the pace."""
    first = [folding.folds[name].simd for name in _first_matrices(graph, x) if name in folding.folds]
    choices = input_choices(graph, x, folding.input_bits)
    size = x.size
    fast = [d for d in choices if -(-size // d) <= folding.cycles] or choices[-1:]
    if len(first) == 1:
        smooth = [d for d in fast if size // math.gcd(d, first[0]) <= folding.cycles]
        return next(
            (d for d in smooth or fast if d % first[0] == 0 or first[0] % d == 0), (smooth or fast)[0]
        )
    return fast[0]


def _first_matrices(graph: Graph, x: Value) -> list[str]:
    """Layers with a matrix that the input `x` reaches through element-wise layers alone."""
    found, names = [], [x.name]
    while names:
        for op in graph.consumers(names.pop()):
            if isinstance(op, Dense | Conv2d):
                found.append(op.name)
            elif layers()[op.kind].answers is Answers.ELEMENTWISE:
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
