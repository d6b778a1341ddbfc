"""What can be done at each op of a graph: the offers of all kernels, with their costs."""

import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from edgeternary.c.kernel import Conversion, Cost, Kernel, Match, Offer
from edgeternary.c.kernels import converters, kernels
from edgeternary.c.layouts import NATURAL, Layout
from edgeternary.cores import Core
from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import Requantize, Threshold
from edgeternary.passes.linear import linear

WORTH_A_PRODUCT = 7  # comparisons from which on a product may be the faster way

Allow = Callable[[Match, Kernel, Offer], bool]
Candidate = tuple[Match, Kernel, Offer]
Arriving = tuple[tuple[Layout, ...], ...]


@dataclass(frozen=True)
class Fetch:
    """How straight-line code comes out of flash; code that is in RAM never waits.

    bytes_per_cycle  bandwidth;  cache  bytes of instruction cache: code that fits is fetched once
    """

    bytes_per_cycle: float = inf
    cache: int = 0

    def cycles(self, cost: Cost, from_ram: bool) -> float:
        """max(cycles of the core, bytes fetched / bandwidth)."""
        if from_ram:
            return cost.cycles
        fetched = min(cost.fetched, cost.flash) if cost.flash <= self.cache else cost.fetched
        return max(cost.cycles, fetched / self.bytes_per_cycle)


class KernelFault(RuntimeWarning):
    """A kernel failed while it judged a layer or a conversion; the plan is made of what the others offer."""


def anything(match: Match, kernel: Kernel, offer: Offer) -> bool:
    """Lets every offer through."""
    return True


class Choices:
    """The offers for one graph on one core, with the time that fetching code takes."""

    def __init__(self, graph: Graph, core: Core, fetch: Fetch | None = None, allow: Allow = anything) -> None:
        self.graph, self.core, self.fetch, self.allow = graph, core, fetch or Fetch(), allow
        self._known: dict[tuple[int, Arriving], list[Candidate]] = {}
        self._conversions: dict[tuple[str, Layout, Layout], list[Candidate]] = {}
        self._wanted: dict[str, tuple[Layout, ...]] = {}
        self._layers: dict[str, set[int]] = {}  # ops that each kernel can run
        for index in range(
            len(graph.ops) - 1, -1, -1
        ):  # last op first: layouts that are asked for travel up through pools and sums
            self._note_wanted(index)

    def at(self, index: int, arriving: Arriving) -> list[Candidate]:
        """Ways to run the op at `index`, alone or with those after it; inputs are there in `arriving`."""
        key = (index, arriving)
        if key not in self._known:
            self._known[key] = [
                (match, kernel, placed)
                for match, kernel, offer in self._offers(index, arriving)
                for placed in self._places(kernel, offer)
                if self.allow(match, kernel, placed)
            ]
        return self._known[key]

    def converting(self, value: Value, source: Layout, target: Layout) -> list[Candidate]:
        """Ways to bring a value from one layout to another in one step."""
        key = (value.name, source, target)
        if key not in self._conversions:
            match = Match((), (value,), (value,), self.core)
            found = [(kernel, _convert(kernel, value, source, target, self.core)) for kernel in converters()]
            self._conversions[key] = [
                (match, kernel, placed)
                for kernel, offer in found
                if offer
                for placed in self._places(kernel, offer)
            ]
        return self._conversions[key]

    def _offers(self, index: int, arriving: Arriving) -> Iterator[Candidate]:
        for kernel in kernels():
            for pattern in kernel.patterns:
                ops = chain(self.graph, index, pattern)
                if ops:
                    outs = tuple(self.graph.values[op.name] for op in ops)
                    ins = tuple(self.graph.ins(ops[0]))
                    wanted = self._wanted.get(outs[-1].name, ())
                    match = Match(ops, ins, outs, self.core, arriving, wanted)
                    for offer in _offers(kernel, match):
                        yield match, kernel, offer

    def _places(self, kernel: Kernel, offer: Offer) -> Iterator[Offer]:
        """The offer with its code in flash, and in RAM where flash is what it waits for."""
        cost = offer.cost
        if not offer.alias:
            cost = replace(cost, cycles=float(cost.cycles), flash=cost.flash + kernel.code)
        share = cost.once // max(len(self._layers.get(kernel.name, ())), 1)
        cost = replace(cost, flash=cost.flash + share, once=0)
        waiting = replace(cost, cycles=self.fetch.cycles(cost, from_ram=False))
        yield replace(offer, cost=waiting)
        if waiting.cycles > cost.cycles:
            yield replace(offer, cost=cost, from_ram=True)

    def _note_wanted(self, index: int) -> None:
        """Note the layouts in which kernels that start at `index` could read each input, and the kernels."""
        inputs = self.graph.ops[index].inputs
        for match, kernel, offer in self._offers(index, tuple(() for _ in inputs)):
            if self.allow(match, kernel, offer):
                self._layers.setdefault(kernel.name, set()).add(index)
            for name, layout in zip(inputs, offer.ins, strict=True):
                if layout != NATURAL and layout not in self._wanted.setdefault(name, ()):
                    self._wanted[name] += (layout,)


def _offers(kernel: Kernel, match: Match) -> list[Offer]:
    """What a kernel offers: nothing where it fails, which is a fault, as `offers` judges preconditions."""
    try:
        return list(kernel.offers(match))
    except Exception as error:
        _tell(kernel, f"layer {match.ops[0].name!r}", error)
        return []


def _convert(kernel: Conversion, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
    """The same for a conversion."""
    try:
        return kernel.convert(value, source, target, core)
    except Exception as error:
        _tell(kernel, f"{value.name!r}", error)
        return None


def _tell(kernel: Kernel, what: str, error: Exception) -> None:
    """One line, with the place of the fault, for a bug report."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    why = f"{type(error).__name__} {error} in {Path(place.filename).name}, line {place.lineno}"
    message = f"kernel {kernel.name} failed on {what} and is left out: {why}; please report this"
    warnings.warn(KernelFault(message), stacklevel=2)


def chain(graph: Graph, index: int, pattern: Sequence[str]) -> tuple[Op, ...]:
    """The ops of `pattern` from position `index` on, if each is the only reader of the one before.

    Where the pattern ends in a requantize and the graph in thresholds that are equal to one, that requantize
    is the op: few instructions for any number of codes.
    """
    ops = [graph.ops[index]]
    for kind in pattern[:-1]:
        if ops[-1].kind != kind:
            return ()
        readers = graph.consumers(ops[-1].name)
        if ops[-1].name in graph.shown or len(readers) != 1 or len(readers[0].inputs) != 1:
            return ()
        ops.append(readers[0])
    if pattern[-1] == "requantize" and isinstance(ops[-1], Threshold):
        equal = _requantize(graph, ops[-1])
        return (*ops[:-1], equal) if equal else ()
    return tuple(ops) if ops[-1].kind == pattern[-1] else ()


def _requantize(graph: Graph, op: Threshold) -> Requantize | None:
    return linear(op, *graph.ins(op)) if op.t.shape[1] >= WORTH_A_PRODUCT else None
