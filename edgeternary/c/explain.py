"""Why a plan is what it is: at each layer the other candidates, and what the model would take with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from edgeternary.c.choices import Fetch, chain
from edgeternary.c.kernel import Match, Offer
from edgeternary.c.kernels import kernels
from edgeternary.c.plan import Plan
from edgeternary.c.search.labels import Label, Move, State
from edgeternary.c.search.search import Search
from edgeternary.c.select import Budget, Planner
from edgeternary.ir import Graph


@dataclass(frozen=True)
class Candidate:
    """One way to run a layer, when what comes before it stays as chosen.

    layouts   in which it reads and writes
    cycles    of the layer, conversions of its inputs included; flash, scratch: bytes
    whole     cycles of the fastest model with it
    verdict   why it was chosen or not; of a kernel without an offer, whose figures are None, why it has none
    """

    layer: str
    kernel: str
    layouts: str
    cycles: int | None
    flash: int | None
    scratch: int | None
    whole: int | None
    verdict: str


Key = tuple[int, State]  # of an op, and what is in memory before it


class TooLong(Exception):
    """There are more ways to finish the network than may be looked at."""


class _Remaining:
    """The fewest cycles from a state to the end; TooLong where that takes more than `most` moves.

    A network may have more layers than Python calls may nest, so states that wait for others are on a stack.
    """

    def __init__(self, search: Search, most: float) -> None:
        self._search, self._left, self._known = search, most, dict[Key, float]()
        self._ways: dict[Key, list[Move]] = {}

    def cycles(self, index: int, state: State) -> float:
        stack = [(index, state)]
        while stack:
            key = stack[-1]
            waiting = () if key in self._known else self._open(key)
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            if key not in self._known:
                after = key[0] + 1
                ways = ((m.work.cycles, self._known.get((after, m.target), 0.0)) for m in self._ways.pop(key))
                self._known[key] = min((own + rest for own, rest in ways), default=inf)
        return self._known[index, state]

    def _open(self, key: Key) -> list[Key]:
        """The states that the moves of this one lead to, as far as nothing is known of them."""
        index, state = key
        last = index == len(self._search.graph.ops)
        if key not in self._ways:
            moves = self._search.last_moves(state) if last else self._search.moves(index, state)
            self._ways[key] = list(moves)
            self._left -= len(self._ways[key])
            if self._left < 0:
                raise TooLong
        targets = () if last else dict.fromkeys((index + 1, m.target) for m in self._ways[key])
        return [target for target in targets if target not in self._known]


def explain(
    graph: Graph,
    core: str,
    optimize: str = "cycles",
    budget: Budget | None = None,
    fetch: Fetch | None = None,
) -> list[Candidate]:
    """Candidates of every layer of the plan that `select` chooses, the chosen one first, then by cycles."""
    planner = Planner(graph, core, fetch=fetch)
    return explain_plan(planner, planner.choose(optimize, budget or Budget()))


def explain_plan(planner: Planner, plan: Plan, most: float = inf) -> list[Candidate]:
    """The same for a plan that `planner` chose; TooLong where more than `most` moves would be looked at."""
    search, graph = planner.search, planner.search.graph
    chosen = next(label for label in planner.labels if label.steps() == plan.steps)
    remaining, found = _Remaining(search, most), list[Candidate]()
    state, spent = search.start, 0.0
    for index, label in enumerate(_path(chosen)[: len(graph.ops)]):
        move = label.move
        assert move is not None
        if move.work.steps:
            layer = _layer(search, remaining, index, state, spent, move, chosen)
            found += [*layer, *_without_offer(search, index, {row.kernel for row in layer})]
        state, spent = move.target, spent + move.work.cycles
    return found


def _path(label: Label) -> list[Label]:
    """Labels from the first move to the last."""
    found: list[Label] = []
    at: Label | None = label
    while at is not None and at.move is not None:
        found.insert(0, at)
        at = at.before
    return found


def _layer(
    search: Search, remaining: _Remaining, index: int, state: State, spent: float, taken: Move, chosen: Label
) -> list[Candidate]:
    """The candidates at one op; of moves with the same kernel and layouts the best for the whole."""
    best: dict[tuple[str, str], tuple[float, Move]] = {}
    winner = _key(taken)
    for move in search.moves(index, state):
        whole = spent + move.work.cycles + remaining.cycles(index + 1, move.target)
        key = _key(move)
        if key not in best or whole < best[key][0]:
            best[key] = (whole, move)
    rows = []
    for key, (whole, move) in sorted(best.items(), key=lambda item: (item[0] != winner, item[1][0])):
        if whole == inf:
            continue
        shown = taken if key == winner else move
        rows.append(
            Candidate(
                search.graph.ops[index].name, *key,
                round(shown.work.cycles), shown.work.flash, _offer(shown).scratch,
                round(chosen.cycles if key == winner else whole),
                "chosen" if key == winner else _verdict(whole - chosen.cycles, shown, taken),
            )
        )  # fmt: skip
    return rows


def _without_offer(search: Search, index: int, offered: set[str]) -> Iterator[Candidate]:
    """Kernels for such ops that say why they are not among the candidates."""
    graph = search.graph
    for kernel in kernels():
        chains = [ops for pattern in kernel.patterns if (ops := chain(graph, index, pattern))]
        if kernel.name in offered or not chains:
            continue
        outs = tuple(graph.values[op.name] for op in chains[0])
        match = Match(chains[0], tuple(graph.ins(chains[0][0])), outs, search.choices.core)
        if reason := kernel.reason(match):
            yield Candidate(graph.ops[index].name, kernel.name, "", None, None, None, None, reason)


def _verdict(more: float, move: Move, taken: Move) -> str:
    """What speaks against a candidate, in the order that an objective would look at it."""
    if more >= 1:
        return f"{more:+,.0f} cycles in the whole model"
    if move.work.flash > taken.work.flash:
        return f"{move.work.flash - taken.work.flash:+,} bytes of flash"
    if more <= -1:
        return f"{more:+,.0f} cycles, but flash or RAM of the whole plan is larger"
    return "no better, and more live bytes" if move.peak > taken.peak else "no better"


def _offer(move: Move) -> Offer:
    return next(step.offer for step in move.work.steps if step.ops)


def _key(move: Move) -> tuple[str, str]:
    """Kernel, with the variant of its offer, and layouts."""
    step = next(step for step in move.work.steps if step.ops)
    place = " in RAM" if step.offer.from_ram else ""
    ins = ", ".join(layout.name for layout in step.offer.ins)
    variant = f" {step.offer.variant}" if step.offer.variant else ""
    return f"{step.kernel.name}{variant}{place}", f"{ins} -> {step.offer.out.name}"
