"""What stays in memory after some steps: of each value that is still needed one layout, or two."""

from collections.abc import Iterator
from itertools import chain, combinations, product

from edgeternary.c.live import live_bytes, peak_of
from edgeternary.c.plan import Buffer, Step
from edgeternary.c.search.labels import Move, Pair, State, Work

Picks = tuple[int, ...]  # for each value the number of its choice


class Part:
    """A part of a state, the steps that led to it, and what may stay of it.

    options  value -> choices of buffers that stay, in the order of names; inputs of the graph always stay
    """

    def __init__(
        self, state: State, steps: tuple[Step, ...], needed: frozenset[str], outside: frozenset[Buffer]
    ) -> None:
        self.work, self._there, self._outside = Work(steps), homes(state), outside
        self._free: list[Pair] = []
        slow: dict[str, list[Pair]] = {}
        for pair in sorted(self._there.items(), key=lambda pair: (pair[0].value.name, pair[0].layout.name)):
            name = pair[0].value.name
            if name in needed:
                (self._free if pair[1] in outside else slow.setdefault(name, [])).append(pair)
        self._gone = {pair for pair in state if pair[1] is None and pair[0].value.name in needed}
        self.options = {name: _subsets(pairs) for name, pairs in slow.items()}
        self._slow = list(chain(*slow.values()))
        self._ends: dict[Picks, tuple[State, int]] = {}

    def end(self, picks: Picks) -> tuple[State, int]:
        """What is left, and the most bytes that are alive meanwhile."""
        if picks not in self._ends:
            chosen = (options[pick] for options, pick in zip(self.options.values(), picks, strict=True))
            kept = {*self._free, *chain(*chosen)}
            roots = [home for _, home in kept]
            given_up = {(pair[0], None) for pair in self._slow if pair not in kept}
            size = (
                peak_of(self._there, self.work.steps, roots, self._outside)
                if self.work.steps
                else live_bytes(roots, self._outside)
            )
            self._ends[picks] = frozenset({*kept, *self._gone, *given_up}), size
        return self._ends[picks]


def ends(near: Part, far: Part) -> Iterator[Move]:
    """Every end of the steps that led to `near`, while `far` is left as it is or given up."""
    names = sorted([*near.options, *far.options])
    counts = [len(near.options.get(name) or far.options[name]) for name in names]
    mine, others = ([names.index(name) for name in part.options] for part in (near, far))
    for picks in product(*map(range, counts)):
        reached, peak = near.end(tuple([picks[i] for i in mine]))
        rest, size = far.end(tuple([picks[i] for i in others]))
        yield Move(near.work, reached | rest, peak + size if near.work.runs else 0)


def homes(state: State) -> dict[Buffer, Buffer]:
    """Whose memory each buffer is that is there."""
    return {buffer: home for buffer, home in state if home is not None}


def _subsets(pairs: list[Pair]) -> list[tuple[Pair, ...]]:
    """Non-empty choices, of at most two."""
    return [*combinations(pairs, 1), *combinations(pairs, 2)]
