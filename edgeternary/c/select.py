"""Choosing kernels and layouts: a shortest path over the ops, exact for costs that add up.

A node of the path is a position in the list of ops and the set of (value, layout) pairs that are in memory
and still needed. An edge runs one kernel on the ops at that position, after the conversions that it needs.
`Price` turns cycles and flash bytes into one number; sweeping its multiplier yields the trade-off curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgeternary.c import cores, memory
from edgeternary.c.cores import Core
from edgeternary.c.kernel import Cost, Kernel, Match, Offer
from edgeternary.c.kernels import conversions, kernels
from edgeternary.c.layouts import NATURAL, Layout
from edgeternary.c.plan import Buffer, Plan, Step
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Op, Value

MAX_PATHS = 2048  # cheapest paths kept at a position; graphs with few branches never have so many

Available = frozenset[Buffer]


@dataclass(frozen=True)
class Price:
    """What a byte of flash costs in cycles."""

    flash: float = 0.0

    def of(self, cost: Cost) -> float:
        return cost.cycles + self.flash * cost.flash


@dataclass(frozen=True)
class Path:
    """The steps so far and their price; `steps` grows from the end, as a linked list."""

    price: float
    step: Step | None = None
    before: Path | None = None

    def then(self, step: Step, price: Price) -> Path:
        return Path(self.price + price.of(step.offer.cost), step, self)

    def steps(self) -> list[Step]:
        found: list[Step] = []
        path: Path | None = self
        while path is not None and path.step is not None:
            found.append(path.step)
            path = path.before
        return found[::-1]


Allow = Callable[[Match, Kernel, Offer], bool]


def select(
    graph: Graph, core: str = "cortex-m4", price: Price | None = None, allow: Allow = lambda *_: True
) -> Plan:
    """The cheapest plan for `graph` on the core called `core`, of the offers that `allow` lets through.

    Raises EdgeTernaryError (by layer name) where no kernel can run an op.
    """
    target, price = cores.core(core), price or Price()
    start = frozenset([Buffer(graph.input, NATURAL), *(Buffer(s.value, NATURAL) for s in graph.states)])
    paths: dict[Available, Path] = {start: Path(0.0)}
    for index, op in enumerate(graph.ops):
        following: dict[Available, Path] = {}
        for available, path in paths.items():
            if any(buffer.value.name == op.name for buffer in available):  # made by a pattern already
                _keep(following, _needed(graph, index + 1, available), path)
                continue
            for match, kernel, offer in _offers(graph, index, target, available):
                if not allow(match, kernel, offer):
                    continue
                for reached, longer in _take(available, path, match, kernel, offer, price):
                    _keep(following, _needed(graph, index + 1, reached), longer)
        if not following:
            raise op.fail("no C kernel can run it", "this is a combination that no kernel offers to run")
        cheapest = sorted(following.items(), key=lambda item: item[1].price)[:MAX_PATHS]
        paths = dict(cheapest)
    finished = [_finish(graph, available, path, target, price) for available, path in paths.items()]
    steps = tuple(min(finished, key=lambda path: path.price).steps())
    places, scratch, arena = memory.plan_memory(graph, steps)
    return Plan(graph, target, steps, places, scratch, arena)


def _offers(
    graph: Graph, index: int, core: Core, available: Available
) -> Iterator[tuple[Match, Kernel, Offer]]:
    for kernel in kernels():
        for pattern in kernel.patterns:
            ops = _chain(graph, index, pattern)
            if ops:
                outs = tuple(graph.values[op.name] for op in ops)
                ins = tuple(graph.ins(ops[0]))
                arriving = tuple(_layouts(value, available) for value in ins)
                match = Match(ops, ins, outs, core, arriving)
                for offer in kernel.offers(match):
                    yield match, kernel, offer


def _chain(graph: Graph, index: int, pattern: tuple[str, ...]) -> tuple[Op, ...]:
    """The ops of `pattern` from position `index` on, if each is the only reader of the one before."""
    op = graph.ops[index]
    if op.kind != pattern[0]:
        return ()
    ops = [op]
    for kind in pattern[1:]:
        readers = graph.consumers(ops[-1].name)
        shown = ops[-1].name == graph.output or any(state.next == ops[-1].name for state in graph.states)
        if shown or len(readers) != 1 or readers[0].kind != kind or len(readers[0].inputs) != 1:
            return ()
        ops.append(readers[0])
    return tuple(ops)


def _layouts(value: Value, available: Available) -> tuple[Layout, ...]:
    found = (buffer.layout for buffer in available if buffer.value == value)
    return tuple(sorted(found, key=lambda layout: layout.name))


def _take(
    available: Available, path: Path, match: Match, kernel: Kernel, offer: Offer, price: Price
) -> Iterator[tuple[Available, Path]]:
    """Convert what the offer needs, then run it."""
    ins: list[Buffer] = []
    for value, layout in zip(match.ins, offer.ins, strict=True):
        wanted = Buffer(value, layout)
        converted = convert(available, path, wanted, match.core, price)
        if converted is None:
            return
        available, path = converted
        ins.append(wanted)
    out = Buffer(match.out, offer.out)
    yield available | {out}, path.then(Step(kernel, match, offer, tuple(ins), out), price)


def convert(
    available: Available, path: Path, wanted: Buffer, core: Core, price: Price
) -> tuple[Available, Path] | None:
    """Make `wanted` from what is there, by way of the natural layout if need be; None if that cannot be."""
    if wanted in available:
        return available, path
    sources = sorted((b for b in available if b.value == wanted.value), key=lambda b: b.layout.name)
    direct = [_conversion(path, source, wanted, core, price) for source in sources]
    found = [longer for longer in direct if longer is not None]
    if found:
        return available | {wanted}, min(found, key=lambda longer: longer.price)
    if wanted.layout == NATURAL or Buffer(wanted.value, NATURAL) in available:
        return None
    middle = convert(available, path, Buffer(wanted.value, NATURAL), core, price)
    return None if middle is None else convert(*middle, wanted, core, price)


def _conversion(path: Path, source: Buffer, wanted: Buffer, core: Core, price: Price) -> Path | None:
    best: Path | None = None
    for kernel in conversions():
        offer = kernel.convert(wanted.value, source.layout, wanted.layout, core)
        if offer is not None:
            step = Step(kernel, Match((), (source.value,), (wanted.value,), core), offer, (source,), wanted)
            longer = path.then(step, price)
            best = longer if best is None or longer.price < best.price else best
    return best


def _needed(graph: Graph, position: int, available: Available) -> Available:
    """What somebody still reads: later ops, the caller, and the states."""
    names = {name for op in graph.ops[position:] for name in op.inputs}
    names |= {graph.output} | {state.next for state in graph.states}
    return frozenset(buffer for buffer in available if buffer.value.name in names)


def _keep(paths: dict[Available, Path], available: Available, path: Path) -> None:
    if available not in paths or path.price < paths[available].price:
        paths[available] = path


def _finish(graph: Graph, available: Available, path: Path, core: Core, price: Price) -> Path:
    """Bring the answer and the next states into natural layout, apart from memory that is not theirs."""
    wanted = [graph.output_value, *(graph.values[state.next] for state in graph.states)]
    for value in wanted:
        converted = convert(available, path, Buffer(value, NATURAL), core, price)
        if converted is None:
            raise EdgeTernaryError(f"no C kernel can bring {value.name!r} into natural layout")
        available, path = converted
    borrowed = {Buffer(state.value, NATURAL) for state in graph.states}
    root = memory.roots(path.steps())
    for position, value in enumerate(wanted):
        original, copy = Buffer(value, NATURAL), Buffer(value, NATURAL, copy=True)
        home = root.get(original, original)
        foreign = borrowed | ({Buffer(graph.input, NATURAL)} if position == 0 else set())
        if home in foreign and copy not in available:
            longer = _conversion(path, original, copy, core, price)
            assert longer is not None
            available, path = available | {copy}, longer
    return path
