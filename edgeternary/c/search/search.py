"""The search for plans: labels over the ops, exact for cycles, flash and the peak of live bytes.

A state is what is in memory and still needed, and what was given up of it. A move runs one kernel on the
ops at a position, after the conversions that it needs, and forgets what nobody needs. A label is one way
to reach a state: cycles and flash add up, live bytes have a maximum. A label that another one beats in
everything is dropped; of more than MAX_LABELS the ends, the convex hull of (cycles, flash), which holds
whatever a sweep of a price of flash would find, and an even choice of the rest stay.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from edgeternary.c.choices import Choices
from edgeternary.c.kernels import kernels
from edgeternary.c.layouts import NATURAL
from edgeternary.c.live import peak_of
from edgeternary.c.plan import Buffer, Step
from edgeternary.c.search.ends import Part, ends, homes
from edgeternary.c.search.labels import Front, Label, Move, State, Work, join
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value

MAX_LABELS = 32
LONGEST = max(len(pattern) for kernel in kernels() for pattern in kernel.patterns)  # ops that one runs
MAX_STATES = 256  # those with the fewest cycles; graphs with few branches never have as many


class Search:
    """The layers of states, and the moves between them."""

    def __init__(self, choices: Choices, max_labels: int = MAX_LABELS) -> None:
        self.choices, self.graph, self.max_labels = choices, choices.graph, max_labels
        graph = self.graph
        inputs = [*graph.inputs, *(state.value for state in graph.states)]
        self.start: State = frozenset((b, b) for b in (Buffer(value, NATURAL) for value in inputs))
        self.outside = _outside(graph)
        self._touched = [{*op.inputs, *_onward(graph, index)} for index, op in enumerate(graph.ops)]
        self._near: dict[tuple[int, State], list[Part]] = {}
        self._needed = [_needed(graph, position) for position in range(len(graph.ops) + 1)]

    def labels(self) -> list[Label]:
        """All plans that are worth having, fastest first. EdgeTernaryError where no kernel can run an op."""
        layer = {self.start: Front([Label(0.0, 0, 0, 0)])}
        for index, op in enumerate(self.graph.ops):
            layer = self._advance(layer, partial(self.moves, index))
            if not layer:
                raise op.fail("no C kernel can run it", "this is a combination that no kernel offers to run")
        layer = self._advance(layer, self.last_moves)
        if not layer:
            raise EdgeTernaryError(
                f"no C kernel can bring {', '.join(self.graph.outputs)} into natural layout"
            )
        (front,) = layer.values()  # nothing is needed at the end: there is one state
        return front.labels

    def _advance(
        self, layer: dict[State, Front], moves: Callable[[State], Iterator[Move]]
    ) -> dict[State, Front]:
        ways: dict[State, list[tuple[Front, Move]]] = {}
        for state, front in layer.items():
            for move in moves(state):
                ways.setdefault(move.target, []).append((front, move))
        kept = {state: join(found, self.max_labels) for state, found in ways.items()}
        return dict(sorted(kept.items(), key=lambda item: item[1].labels[0].cycles)[:MAX_STATES])

    def moves(self, index: int, state: State) -> Iterator[Move]:
        """Every way to get past the op at `index`, with every choice of what stays in memory.

        The steps touch only what is near the op. States that differ elsewhere share them.
        """
        near = _connected(state, self._touched[index])
        if (index, near) not in self._near:
            self._near[index, near] = [
                self._part(reached, steps, index + 1) for steps, reached in self.ways(index, near)
            ]
        far = self._part(state - near, (), index + 1)
        for part in self._near[index, near]:
            yield from ends(part, far)

    def ways(self, index: int, state: State) -> Iterator[tuple[tuple[Step, ...], State]]:
        """Every way to get past the op at `index`: the steps, and all that is in memory after them."""
        there = list(homes(state))
        if self._made(index, {buffer.value.name for buffer in there}):
            yield (), state
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
                yield (*steps, step), reached | {(out, home)}

    def _part(self, reached: State, steps: tuple[Step, ...], position: int) -> Part:
        return Part(reached, steps, self._needed[position], self.outside)

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
            peak = peak_of(homes(state), copies, (), self.outside)
            yield Move(Work(tuple(copies)), frozenset(), peak)

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
        return any(name in there for name in _onward(self.graph, index))


def _onward(graph: Graph, index: int) -> list[str]:
    """The op's value, and what its only reader makes of it, as far as a kernel goes that starts at the op."""
    names = [graph.ops[index].name]
    while len(names) < LONGEST and names[-1] not in graph.shown:
        readers = graph.consumers(names[-1])
        if len(readers) != 1:
            break
        names.append(readers[0].name)
    return names


def _connected(state: State, names: set[str]) -> State:
    """The buffers of the values called `names`, and of all whose memory is that of one of them."""
    found: State = frozenset()
    while True:
        memory = {home for _, home in found if home is not None}
        more = frozenset(p for p in state if p[0].value.name in names or p[1] in memory)
        if more == found:
            return found
        found, names = more, names | {buffer.value.name for buffer, _ in more}


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
