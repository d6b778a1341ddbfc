"""Layer by layer: the formula that the RTL gives for a number against what the graph says about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.prove import maps
from edgeternary.prove.adders import simple
from edgeternary.prove.by_number import ByNumber
from edgeternary.prove.certificate import PROVEN
from edgeternary.prove.cuts import Border
from edgeternary.prove.evaluate import Column, evaluate
from edgeternary.prove.meaning import Largest, Local, Meaning, Sum
from edgeternary.prove.observe import Observed
from edgeternary.prove.places import Key, Place, Reading
from edgeternary.prove.polynomial import expanded
from edgeternary.prove.rules import meaning
from edgeternary.prove.substitute import substitute
from edgeternary.prove.terms import Bit, Form, Word, added, of_parts

MOST = 1 << 21  # combinations that are tried
FEW = 1 << 10  # combinations that are tried before anything else
ALGEBRA, EVERY, SAT = "algebra", "every value", "SAT"


@dataclass
class Refuted:
    """Numbers of a layer's input, by value and flat index, with which one of its answers is wrong."""

    layer: str
    index: int
    inputs: dict[Key, int]
    expected: int
    found: int | None


@dataclass
class Proof:
    """What became of the numbers of a layer's answer.

    proven   how many, by method;  tried: combinations of values that were tried for them
    open     {flat index: why it is not proven};  unused: numbers that nothing in the RTL reads
    """

    layer: str
    kind: str
    numbers: int
    proven: dict[str, int] = field(default_factory=dict)
    tried: int = 0
    open: dict[int, str] = field(default_factory=dict)
    refuted: Refuted | None = None
    seconds: float = 0.0
    unused: int = 0


Solver = Callable[["Prover", Word, Reading, tuple[Key, ...]], tuple[str, dict[Key, int] | None]]


class Prover:
    """Proves layers of one observed frame; `deadline` in seconds of time.monotonic."""

    def __init__(self, graph: Graph, observed: Observed, deadline: float, solver: Solver) -> None:
        self.graph, self.observed, self.deadline, self.solver = graph, observed, deadline, solver
        self.places, self.terms = observed.places, observed.terms
        self.ops = {op.name: op for op in graph.ops}

    def layer(self, op: Op) -> Proof:
        """The proof of all numbers of a layer that was seen."""
        border = self.observed.borders.borders[op.name]
        proof = Proof(op.name, op.kind, border.size)
        start = time.monotonic()
        for index in range(border.size):
            if time.monotonic() > self.deadline:
                proof.open |= dict.fromkeys(range(index, border.size), "time ran out")
                break
            if border.left_out(index):
                proof.unused += 1
                continue
            word, said = self.formula(border, index), meaning(self.graph, op, index)
            if word is None:
                proof.open[index] = "it was not seen in the RTL"
            elif said is None:
                proof.open[index] = f"there is no rule for {op.kind}"
            else:
                self.number(proof, index, (word, border.reading(index)), said)
            if proof.refuted:
                break
        proof.seconds = time.monotonic() - start
        return proof

    def formula(self, border: Border, index: int) -> Word | None:
        """A number in terms of other layers: what it shares with numbers of its own is put in."""
        word = border.formula(index)
        while word is not None:
            own: dict[Bit, Bit] = {}
            for key in self.places.owners(word):
                if key[0] == border.name and (raw := border.formula(key[1])):
                    own |= {
                        a: b
                        for a, b in zip(self.places.words[key], raw, strict=True)
                        if self.places.owner(a) == key
                    }
            if not own:
                break
            word = substitute(self.terms, word, own)
        return word

    def views(self, keys: Iterable[Key], word: Word) -> dict[Key, Word]:
        """The bits of numbers: their own, or their formulas where `word` reads what these are made of."""
        found = {key: self.places.words[key] for key in keys}
        before: set[Key] = set()
        while True:
            own = {owner for bits in found.values() for owner in self.places.owners(bits)}
            foreign = set(self.places.owners(word)) - own
            if foreign <= before:
                return found
            before |= foreign
            for key in found:
                border = self.observed.borders.borders.get(key[0])
                raw = self.formula(border, key[1]) if border else None
                if raw and before.intersection(self.places.owners(raw)):
                    found[key] = raw

    def number(self, proof: Proof, index: int, found: tuple[Word, Reading], said: Meaning) -> None:
        """One number (its formula, and how it is read), by the method that its meaning allows."""
        try:
            if isinstance(said, Sum):
                self._sum(proof, index, found, said)
            elif isinstance(said, Local):
                self._local(proof, index, found, said)
            else:
                self._largest(proof, index, found, said)
        except Unseen as unseen:
            proof.open[index] = f"its input {unseen} was not seen in the RTL"

    def _done(self, proof: Proof, method: str, tried: int = 0) -> None:
        proof.proven[method] = proof.proven.get(method, 0) + 1
        proof.tried += tried

    # Sums.

    def _sum(self, proof: Proof, index: int, found: tuple[Word, Reading], said: Sum) -> None:
        """The difference of both is 0, or there are values for which it is not."""
        word, reading = found
        form = reading.form(self.terms, word)
        assert form is not None
        keys = {self.source(key): factor for key, factor in said.factors.items()}
        views = self.views(keys, word)
        summands = [(-factor, self._summand(key, views[key], said.bits)) for key, factor in keys.items()]
        direct = added(summands, -said.constant)
        difference = simple(self.terms, added([(1, form), (1, direct)]))
        groups, rest = self.places.grouped(difference)
        if rest:
            difference = expanded(self.terms, difference, rest)
            groups, rest = self.places.grouped(difference)
        if rest:
            proof.open[index] = f"{len(rest)} terms of its sum depend on several inputs"
            return
        constant, varying = difference.constant, {}
        for key, parts in groups.items():
            place = self.places.place(key)
            if place is None:
                proof.open[index] = f"{key[0]} {key[1]} has too many values"
                return
            column = self.places.column(place, parts)
            constant += int(column[0])
            if (column != column[0]).any():
                varying[key] = int(np.flatnonzero(column != column[0])[0])
        if not varying and not constant:
            self._done(proof, ALGEBRA)
            return
        picks = {} if constant else dict(list(varying.items())[:1])
        self._refute(proof, index, found, views, picks, lambda columns: self._total(said, keys, columns))

    def _summand(self, key: Key, word: Word, positive: bool) -> Form:
        """The number, or the bit that says whether it is positive, which only two values have."""
        form = self.places.readings[key].form(self.terms, word)
        assert form is not None
        if not positive:
            return form
        value = self.places.values[key[0]]
        if value.lo >= 0 and value.hi <= 1:
            return form
        half = added([(1, form)], 1)  # of -1 and +1
        if any(f & 1 for _, f in half.parts) or half.constant & 1:
            raise Unseen(f"{key[0]} {key[1]}")
        return of_parts(half.constant >> 1, {bit: f >> 1 for bit, f in half.parts})

    def _total(self, said: Sum, keys: dict[Key, int], columns: dict[Key, Column]) -> Column:
        total = np.full(len(next(iter(columns.values()))) if columns else 1, said.constant, np.int64)
        for key, factor in keys.items():
            total += factor * ((columns[key] > 0).astype(np.int64) if said.bits else columns[key])
        return total

    # Functions of few numbers.

    def _local(self, proof: Proof, index: int, found: tuple[Word, Reading], said: Local) -> None:
        """All values of the numbers that either depends on."""
        keys = [self.source(key, True) for key in said.keys]
        views = self.views([key for key in keys if key in self.places.words], found[0])
        bits = [*found[0], *(bit for view in views.values() for bit in view)]
        places = [self.places.place(owner) for owner in self.places.owners(bits)]
        sizes = [0 if place is None else place.count for place in places]
        count = int(np.prod(sizes, dtype=object)) if sizes else 1
        if len(keys) == len(views) == 1 and not 0 < count <= FEW:
            if self._by_value(proof, index, found, keys[0], said):
                return
        absent = {key: self.graph.values[key[0]] for key in keys if key not in views}
        count *= int(np.prod([value.hi - value.lo + 1 for value in absent.values()], dtype=object))
        if not 0 < count <= MOST:
            proof.open[index] = f"it depends on {len(sizes)} numbers with too many values together"
            return
        free = product_of([place for place in places if place], count)
        columns, legal = self._columns(views, free, count)
        rest = np.arange(count) // int(np.prod(sizes, dtype=object))
        for key, value in absent.items():  # nothing in the RTL has it, so that it must not matter
            columns[key] = rest % (value.hi - value.lo + 1) + value.lo
            rest = rest // (value.hi - value.lo + 1)
        expected = np.broadcast_to(said.function([columns[key] for key in keys]), (count,))
        answer = np.broadcast_to(found[1].numbers(evaluate(self.terms, found[0], free, count)), (count,))
        self._compared(proof, index, columns, (expected, answer, legal))

    def _by_value(self, proof: Proof, index: int, found: tuple[Word, Reading], key: Key, said: Local) -> bool:
        """All values of one number, where the formula depends on it as a whole; False where it does not."""
        value, form = self.places.values[key[0]], self.places.form(key)
        least, most = self.terms.closely(form)
        low, high = max(value.lo, least), min(value.hi, most)
        if high - low >= MOST:
            return False
        numbers = np.arange(low, high + 1, dtype=np.int64)
        by_number = ByNumber(self.terms, form, numbers)
        bits = by_number.bits(found[0])
        if bits is None:
            return False
        answer = np.broadcast_to(found[1].numbers(bits), numbers.shape)
        self._compared(proof, index, {key: numbers}, (said.function([numbers]), answer, by_number.possible))
        return True

    def _compared(
        self, proof: Proof, index: int, columns: dict[Key, Column], found: tuple[Column, Column, Column]
    ) -> None:
        """Both answers (expected, of the formula, where they count) for columns of the inputs."""
        expected, answer, legal = found
        wrong = np.flatnonzero((answer != expected) & legal)
        if not len(wrong):
            self._done(proof, EVERY, int(legal.sum()))
            return
        at = int(wrong[0])
        inputs = {key: int(column[at]) for key, column in columns.items()}
        proof.refuted = Refuted(proof.layer, index, inputs, int(expected[at]), int(answer[at]))

    def _columns(
        self, views: dict[Key, Word], free: dict[int, Column], count: int
    ) -> tuple[dict[Key, Column], Column]:
        """The numbers of views for columns of free bits, and where all of them are in their intervals."""
        columns, legal = {}, np.ones(count, bool)
        for key, word in views.items():
            bits = evaluate(self.terms, word, free, count)
            columns[key] = np.broadcast_to(self.places.readings[key].numbers(bits), (count,))
            value = self.places.values[key[0]]
            legal &= (columns[key] >= value.lo) & (columns[key] <= value.hi)
        return columns, legal

    def _refute(
        self,
        proof: Proof,
        index: int,
        found: tuple[Word, Reading],
        views: dict[Key, Word],
        picks: dict[Key, int],
        function: Callable[[dict[Key, Column]], Column],
    ) -> None:
        """Notes values with which a number is wrong: the first ones, but `picks` (positions) of some."""
        free: dict[int, Column] = {}
        bits = [*found[0], *(bit for view in views.values() for bit in view)]
        for owner in self.places.owners(bits):
            place = self.places.place(owner)
            assert place is not None
            at = picks.get(owner, 0)
            free |= {bit: column[at : at + 1] for bit, column in place.columns.items()}
        columns, _ = self._columns(views, free, 1)
        answer = found[1].numbers(evaluate(self.terms, found[0], free, 1))
        inputs = {key: int(column[0]) for key, column in columns.items()}
        proof.refuted = Refuted(proof.layer, index, inputs, int(function(columns)[0]), int(answer[0]))

    # The largest number.

    def _largest(self, proof: Proof, index: int, found: tuple[Word, Reading], said: Largest) -> None:
        keys = tuple(self.source(key) for key in said.keys)
        state, inputs = self.solver(self, *found, keys)
        if state == PROVEN:
            self._done(proof, SAT)
        elif inputs is None:
            proof.open[index] = state
        else:
            best = max(range(len(keys)), key=lambda k: (inputs[keys[k]], -k))
            proof.refuted = Refuted(proof.layer, index, inputs, best, None)

    def numbers(self, views: dict[Key, Word], values: dict[Bit, int]) -> dict[Key, int]:
        """The numbers of views for values of the free bits."""
        free = {bit: np.array([value], np.int64) for bit, value in values.items()}
        return {key: int(column[0]) for key, column in self._columns(views, free, 1)[0].items()}

    def source(self, key: Key, absent: bool = False) -> Key:
        """The number whose bits stand for another one: what is only wires has none of its own.

        absent  a number of a layer that was seen may be one that nothing in the RTL has
        """
        name, index = key
        while (name, index) not in self.places.words:
            border = self.observed.borders.borders.get(name)
            if absent and border and border.left_out(index):
                break
            before = self.wire(name, index)
            if before is None:
                raise Unseen(f"{name} {index}")
            name, index = before
        return name, index

    def wire(self, name: str, index: int) -> Key | None:
        """The number that another one is, whatever its value; None of one that is made."""
        op = self.ops.get(name)
        ins = [self.graph.values[x] for x in op.inputs] if op else []
        before = maps.wire(op, ins, self.graph.values[name], index)
        return None if op is None or before is None else (op.inputs[0], before)


class Unseen(Exception):
    """A number that the RTL did not show."""


def product_of(places: list[Place], count: int) -> dict[int, Column]:
    """Columns of the free bits of several numbers for every combination of their values."""
    every = np.arange(count)
    free: dict[int, Column] = {}
    for place in places:
        free |= {bit: column[every % place.count] for bit, column in place.columns.items()}
        every = every // place.count
    return free
