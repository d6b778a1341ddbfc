"""The search for plans: labels over the ops, exact for cycles, flash and the peak of live bytes.

A state is what is in memory and still needed, and what was given up of it. A move runs one kernel on the
ops at a position, after the conversions that it needs, and forgets what nobody needs. A label is one way
to reach a state: cycles and flash add up, live bytes have a maximum. A label that another one beats in
everything is dropped; of more than MAX_LABELS the ends, the convex hull of (cycles, flash), which holds
whatever a sweep of a price of flash would find, and an even choice of the rest stay.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, combinations, product

from edgeternary.c.choices import Choices
from edgeternary.c.labels import Label, Move, Pair, State, pareto, thin
from edgeternary.c.layouts import NATURAL
from edgeternary.c.live import peak_of
from edgeternary.c.plan import Buffer, Step
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value

MAX_LABELS = 32
MAX_STATES = 256  # those with the fewest cycles; graphs with few branches never have as many


class Search:
    """The layers of states, and the moves between them."""

    def __init__(self, choices: Choices, max_labels: int = MAX_LABELS) -> None:
        self.choices, self.graph, self.max_labels = choices, choices.graph, max_labels
        graph = self.graph
        inputs = [*graph.inputs, *(state.value for state in graph.states)]
        self.start: State = frozenset((b, b) for b in (Buffer(value, NATURAL) for value in inputs))
        self.outside = _outside(graph)
        self._needed = [_needed(graph, position) for position in range(len(graph.ops) + 1)]

    def labels(self) -> list[Label]:
        """All plans that are worth having, fastest first. EdgeTernaryError where no kernel can run an op."""
        layer: dict[State, list[Label]] = {self.start: [Label(0.0, 0, 0, 0)]}
        for index, op in enumerate(self.graph.ops):
            layer = self._advance(layer, partial(self.moves, index))
            if not layer:
                raise op.fail("no C kernel can run it", "this is a combination that no kernel offers to run")
        layer = self._advance(layer, self.last_moves)
        if not layer:
            raise EdgeTernaryError(
                f"no C kernel can bring {', '.join(self.graph.outputs)} into natural layout"
            )
        return thin(pareto([label for labels in layer.values() for label in labels]), 4 * self.max_labels)

    def _advance(
        self, layer: dict[State, list[Label]], moves: Callable[[State], Iterator[Move]]
    ) -> dict[State, list[Label]]:
        following: dict[State, list[Label]] = {}
        for state, labels in layer.items():
            for move in moves(state):
                cycles, flash, code, peak = move.cycles, move.flash, move.code, move.peak
                following.setdefault(move.target, []).extend(
                    Label(
                        label.cycles + cycles,
                        label.flash + flash,
                        max(label.peak, peak),
                        label.code + code,
                        move,
                        label,
                    )
                    for label in labels
                )
        kept = {state: thin(pareto(labels), self.max_labels) for state, labels in following.items()}
        return dict(sorted(kept.items(), key=lambda item: item[1][0].cycles)[:MAX_STATES])

    def moves(self, index: int, state: State) -> Iterator[Move]:
        """Every way to get past the op at `index`."""
        there = list(homes(state))
        if self._made(index, {buffer.value.name for buffer in there}):
            yield from self._ends((), state, index + 1)
            return
        values = self.graph.ins(self.graph.ops[index])
        arriving = tuple(
            tuple(sorted((b.layout for b in there if b.value == v), key=lambda x: x.name)) for v in values
        )
        for match, kernel, offer in self.choices.at(index, arriving):
            wanted = [Buffer(value, layout) for value, layout in zip(match.ins, offer.ins, strict=True)]
            for steps, reached in self._converted(state, wanted):
                out = Buffer(match.out, offer.out)
                step = Step(kernel, match, offer, tuple(wanted), out)
                home = homes(reached)[wanted[0]] if offer.alias else out
                yield from self._ends((*steps, step), reached | {(out, home)}, index + 1)

    def last_moves(self, state: State) -> Iterator[Move]:
        """The outputs and the next states in natural layout, apart from memory that is not theirs."""
        graph = self.graph
        values = [*graph.output_values, *(graph.values[s.next] for s in graph.states)]
        for steps, reached in self._converted(state, [Buffer(value, NATURAL) for value in values]):
            home, copies = homes(reached), list(steps)
            states = {Buffer(s.value, NATURAL) for s in graph.states}
            borrowed = states | {Buffer(value, NATURAL) for value in graph.inputs}
            for position, value in enumerate(values):
                if position == len(graph.outputs):
                    borrowed = states
                original, copy = Buffer(value, NATURAL), Buffer(value, NATURAL, copy=True)
                if home[original] in borrowed and copy not in home:
                    copies.append(self._cheapest_copy(original, copy))
                    home[copy] = copy
                if position < len(graph.outputs):  # the memory of one is not that of another
                    borrowed = borrowed | {home[original]}
            yield Move(tuple(copies), frozenset(), peak_of(homes(state), copies, (), self.outside))

    def _cheapest_copy(self, original: Buffer, copy: Buffer) -> Step:
        found = self.choices.converting(original.value, NATURAL, NATURAL)
        match, kernel, offer = min(found, key=lambda candidate: candidate[2].cost.cycles)
        return Step(kernel, match, offer, (original,), copy)

    def _converted(self, state: State, wanted: Sequence[Buffer]) -> Iterator[tuple[tuple[Step, ...], State]]:
        """Every way to have all of `wanted` in memory: the steps that it takes, and the state after them."""
        if not wanted:
            yield (), state
            return
        for first, reached in self._one(state, wanted[0]):
            for rest, final in self._converted(reached, wanted[1:]):
                yield first + rest, final

    def _one(self, state: State, wanted: Buffer) -> Iterator[tuple[tuple[Step, ...], State]]:
        """The same for one buffer; by way of the natural layout if there is no other."""
        there = homes(state)
        if wanted in there:
            yield (), state
            return
        if (wanted, None) in state:
            return
        found = False
        sources = sorted((b for b in there if b.value == wanted.value), key=lambda b: b.layout.name)
        for source in sources:
            for match, kernel, offer in self.choices.converting(wanted.value, source.layout, wanted.layout):
                found = True
                yield (Step(kernel, match, offer, (source,), wanted),), state | {(wanted, wanted)}
        natural = Buffer(wanted.value, NATURAL)
        if found or natural in sources or wanted == natural:
            return
        for steps, reached in self._one(state, natural):
            for more, final in self._one(reached, wanted):
                yield steps + more, final

    def _made(self, index: int, there: set[str]) -> bool:
        """Whether a pattern has made the op's value, or one that its only reader makes of it."""
        name = self.graph.ops[index].name
        if name in there:
            return True
        readers = self.graph.consumers(name)
        return (
            len(readers) == 1
            and name not in self.graph.shown
            and self._made(self.graph.ops.index(readers[0]), there)
        )

    def _ends(self, steps: tuple[Step, ...], reached: State, position: int) -> Iterator[Move]:
        """Moves that keep what is needed from `position` on: of a value in several layouts each choice."""
        needed = self._needed[position]
        free: list[Pair] = []
        slow: dict[str, list[Pair]] = {}
        there = homes(reached)
        for buffer, home in sorted(there.items(), key=lambda pair: (pair[0].value.name, pair[0].layout.name)):
            if buffer.value.name in needed:
                if home in self.outside:
                    free.append((buffer, home))
                else:
                    slow.setdefault(buffer.value.name, []).append((buffer, home))
        gone = {pair for pair in reached if pair[1] is None and pair[0].value.name in needed}
        for choice in product(*(_subsets(pairs) for pairs in slow.values())):
            kept = [*free, *chain(*choice)]
            given_up = {
                (buffer, None)
                for pairs in slow.values()
                for buffer, home in pairs
                if (buffer, home) not in kept
            }
            target: State = frozenset({*kept, *gone, *given_up})
            yield Move(steps, target, peak_of(there, steps, [home for _, home in kept], self.outside))


def homes(state: State) -> dict[Buffer, Buffer]:
    """Whose memory each buffer is that is there."""
    return {buffer: home for buffer, home in state if home is not None}


def _subsets(pairs: list[Pair]) -> list[tuple[Pair, ...]]:
    """Non-empty choices, of at most two."""
    return [*combinations(pairs, 1), *combinations(pairs, 2)]


def _needed(graph: Graph, position: int) -> frozenset[str]:
    """Names of values that somebody still reads: later ops, the caller, and the states."""
    names = {name for op in graph.ops[position:] for name in op.inputs}
    return frozenset(names | graph.shown)


def _outside(graph: Graph) -> frozenset[Buffer]:
    """Buffers outside the arena: inputs, states, and each output with what it is an alias of."""
    given = [*graph.inputs, *(state.value for state in graph.states)]
    found: list[Value] = list(given)
    for value in graph.output_values:
        found.append(value)
        while found[-1] not in given:
            op = graph.op(found[-1].name)
            if op.kind != "reshape":
                break
            found.append(graph.ins(op)[0])
    return frozenset(Buffer(value, NATURAL) for value in found)
