"""Layers whose weights are wires: a run of them is one circuit, which takes a whole vector every clock."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.devices import family
from edgeternary.hdl.elements import interval_element, stream_element
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.hdl.parts import wired_layers
from edgeternary.hdl.windows import at_once
from edgeternary.ir import Graph, Op
from edgeternary.ir.names import identifier
from edgeternary.ops import Conv2d, Dense, Lut
from edgeternary.ops.window import pointwise
from edgeternary_hw import Circuit, Element, Wired
from edgeternary_hw.codes import coded, received
from edgeternary_hw.counters import expanded
from edgeternary_hw.fabric import FABRICS
from edgeternary_hw.stages import Stages, staged

TABLES = ("lut", "group_count")  # a run of them is wires in any design
MOST = 1 << 17  # LUTs, where no part is named
SHARE = 16  # weights that are not 0 for each LUT of a part: more of them never fit
O = TypeVar("O", bound=Op)  # noqa: E741


class AsWires(Layer[O], abstract=True):
    """A layer without anything to fold: it is wires in every design."""

    answers = Answers.LATE

    def build(self, b: Builder, op: O, ins: list[Wire]) -> Wire:
        return run(b, [op], entry(b, op, ins[0]))

    def lanes(self, op: O, at: Arrival) -> int:
        return at.out.channels


@dataclass(frozen=True, eq=False)
class Made:
    """The circuit of a run, and the nodes and bits of its answer."""

    circuit: Circuit
    i_width: int
    outputs: tuple[tuple[int, int], ...]


class Read(NamedTuple):
    """A beat: `size` numbers of `element`; those of a pixel or its window, and so is the answer, or all."""

    element: Element
    size: int
    pixel: bool = False


def groups(graph: Graph, folding: Folding, whole: bool) -> list[tuple[list[Op], bool]]:
    """The ops of a graph that are built at once, in order; and whether as wires.

    Where all is wired, that is all of them; unless the input does not come `whole`: then comparisons are made
    as it comes. Else layers of folding.wires, tables and counts that follow each other, of pixels or of a
    vector.
    """
    ops = list(graph.ops)
    if folding.wired:
        kinds = [op.kind for op in ops]
        first = 0 if whole else next((k for k, kind in enumerate(kinds) if kind != "reshape"), 0) + 1
        if first and kinds[first - 1] != "compare":
            first = 0
        return [*(([op], False) for op in ops[:first]), *([(ops[first:], True)] if ops[first:] else [])]
    found: list[tuple[list[Op], bool]] = []
    for op in ops:
        before = found[-1][0][-1] if found and found[-1][1] else None
        joined = before is not None and _continues(graph, before, op)
        last = joined and before is not None and (before.kind, op.kind) == ("group_count", "argmax")
        as_wires = op.kind in TABLES or op.name in folding.wires or last
        if joined and as_wires:
            found[-1][0].append(op)
        else:
            found.append(([op], as_wires))
    return found


def _continues(graph: Graph, before: Op, op: Op) -> bool:
    """Whether an op alone reads the one before, pixel by pixel or a whole vector."""
    alone = graph.consumers(before.name) == [op] and before.name not in graph.shown
    x, y = graph.ins(op)[0], graph.values[op.name]
    return alone and not windowed(op) and len(x.shape) == len(y.shape)


def windowed(op: Op) -> bool:
    """Whether an op reads windows of a map."""
    return isinstance(op, Lut | Conv2d) and not pointwise(op.kernel, op.stride, op.pad)


def entry(b: Builder, op: Op, wire: Wire) -> Wire:
    """What a run that begins with `op` reads in a beat: in a folded design a vector, a pixel or its window,
    which hdl.windows gives; else the whole value."""
    if b.folding.wired:
        return b.adapt(wire, wire.value.size, op.name)
    if isinstance(op, Conv2d):
        wire = b.recode(wire, padded_element(wire, op), op.name)
    wire = b.adapt(wire, wire.value.channels, op.name)
    if not (isinstance(op, Lut | Conv2d) and windowed(op)):
        return wire
    size, lanes = (wire.value.shape[0], wire.value.shape[1]), wire.lanes
    word = wire.element.pack([op.pad_value] * lanes) if isinstance(op, Conv2d) else 0
    shape = op.kernel, op.stride, op.pad
    part = at_once(lanes * wire.element.width, size, shape, word, family(b.folding.fabric))
    work = max(part.out_height * part.out_width, wire.beats)
    port = b.through(part, wire, op.name, "window", work)
    value = replace(wire.value, shape=(part.out_height, part.out_width, part.taps * lanes))
    return Wire(port, wire.element, value.channels, value)


def padded_element(wire: Wire, op: Conv2d) -> Element:
    """The encoding of what a convolution reads, wide enough for what it pads with."""
    if wire.value.type.name != "int32" or not any(op.pad):
        return wire.element
    return interval_element(min(wire.value.lo, op.pad_value), max(wire.value.hi, op.pad_value))


def run(b: Builder, ops: list[Op], wire: Wire) -> Wire:
    """Adds the part that computes consecutive ops, each of which reads the one before, out of each beat of a
    stream: a whole vector; or a pixel or its window, where the ops give as many pixels as there are beats."""
    name = ops[-1].name
    names = tuple(op.name for op in ops)
    read = Read(wire.element, wire.lanes, wire.beats > 1)
    made = fitted(circuit(b.graph, names, read, b.folding.fabric))
    stages = _staged(made, b.folding.stages, b.folding.period)
    part = Wired(made.circuit, made.i_width, made.outputs, stages)
    b.through(part, wire, name)
    return b.output(part, name, b.graph.values[name].size // wire.beats)


@lru_cache(maxsize=64)  # planning builds the same network many times
def circuit(graph: Graph, names: tuple[str, ...], read: Read, fabric: str) -> Made:
    """The circuit of the ops of these names, consecutive ones, for one beat."""
    made, known = Circuit(fabric), wired_layers()
    ops = {op.name: op for op in graph.ops}
    numbers = received(made, read.element, read.size)
    taken: set[str] = set()
    for name in names:
        op, y = ops[name], graph.values[name]
        numbers = known[op.kind].nodes(made, op, numbers, replace(y, shape=y.shape[-1:]) if read.pixel else y)
        label = identifier(name, taken)
        taken.add(label)
        made.layers[label] = numbers
    target = stream_element(graph.values[names[-1]])
    outputs = tuple(code for number in numbers for code in coded(made, number, target))
    return Made(made, read.size * read.element.width, outputs)


@lru_cache(maxsize=64)
def fitted(made: Made) -> Made:
    """The circuit with counts as the fabric makes them."""
    inner, roots = expanded(made.circuit, [n for n, _ in made.outputs], FABRICS[made.circuit.fabric])
    outputs = tuple((n, width) for n, (_, width) in zip(roots, made.outputs, strict=True))
    return Made(inner, made.i_width, outputs)


@lru_cache(maxsize=64)
def _staged(made: Made, count: int, period: float) -> Stages:
    fabric, limit = FABRICS[made.circuit.fabric], 0.0 if count else period
    return staged(made.circuit, [n for n, _ in made.outputs], fabric, count=count, limit=limit)


def why_not(graph: Graph, luts: int = MOST) -> str:
    """What keeps a whole graph from being wired on a part of some LUTs, "" for nothing: it must be a chain of
    layers that are wired. Whether they fit, the circuit tells; it is not made where they never can."""
    if graph.states:
        return f"it keeps {graph.states[0].value.name!r} between steps, for which wired layers have no place"
    used, tables, known = 0, 0, wired_layers()
    for op in graph.ops:
        if op.kind not in known:
            *first, last = known
            kinds = f"{', '.join(first)} and {last}"
            return f"layer {op.name!r} is a {op.kind}, and only {kinds} layers are wired"
        if why := known[op.kind].refused(op):
            return f"layer {op.name!r} {why}"
        if isinstance(op, Dense):
            used += int((op.weights != 0).sum())
        if isinstance(op, Lut):
            places = graph.values[op.name].size // len(op.wiring)
            tables += places * int(((op.wiring >= 0).sum(axis=1) > 1).sum())
    if tables > 2 * luts:  # some may be equal or constant
        return f"it has {tables:,} tables, too many for {luts:,} LUTs"
    return f"{used:,} weights are not 0, too many for {luts:,} LUTs" if used > SHARE * luts else ""


def depth(parts: Iterable[tuple[str, Any]]) -> int:
    """Stages of the wired parts of a design."""
    return sum(part.stages.count for _, part in parts if isinstance(part, Wired))


def longest(part: Wired) -> float:
    """ns of a stage with the slowest node alone, the shortest that any clock must leave."""
    fabric = FABRICS[part.circuit.fabric]
    return fabric.start + max(fabric.delays(part.circuit, part.stages.of).values())
