"""Tables of up to six bits as logic on words: 32 addresses at a time.

With f0 and f1 the function where bit x is 0 and 1, and g = f0 ^ f1, a function is one of

    f0 ^ (x & g)      f1 ^ (g & ~x)      f0 ^ ((f0 ^ f1) & x)

where less is left of each if f0, f1 or g is constant. The fewest operations are found for every way to take
the bits one after the other and to go on with f0, f1 or g (expansions of Davio and Shannon; a Kronecker
functional decision diagram): 4^6 functions a table, all tables at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BITS = 6
ONES = np.uint64(2**64 - 1)
SET = tuple(np.uint64(sum(1 << a for a in range(64) if a >> v & 1)) for v in range(BITS))  # where bit v is 1
NEVER = np.int16(1000)
NAMES = "abcdef"

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Logic:
    """A table as C.

    lines       (name, expression) of terms that are used more than once
    result      the expression of the table, of the bits `a` to `f` and of those names
    operations  of all
    bits        those that it reads
    """

    lines: tuple[tuple[str, str], ...]
    result: str
    operations: int
    bits: tuple[int, ...]


def logic(tables: np.ndarray) -> list[Logic]:
    """Each of the tables, bool (L, 2^F) with bit k of an address being bit k."""
    full = np.tile(tables, (1, (1 << BITS) // tables.shape[1]))
    words = np.ascontiguousarray(np.packbits(full, axis=1, bitorder="little")).view("<u8")[:, 0]
    return list(_logic(tuple(words.tolist())))


@lru_cache(maxsize=64)
def _logic(words: tuple[int, ...]) -> tuple[Logic, ...]:
    different = sorted(set(words))
    found: dict[int, Logic] = {}
    for start in range(0, len(different), 64):
        some = np.array(different[start : start + 64], np.uint64)
        functions = _functions(some)
        costs, ways = _cheapest(functions)
        for i, word in enumerate(some.tolist()):
            found[word] = _Text(functions[i], ways[i]).logic(int(costs[(i, *(3,) * BITS)]))
    return tuple(found[word] for word in words)


def _functions(words: Words) -> Words:
    """(L, 4, ..., 4): each bit is 0, is 1, is the difference of both, or is left."""
    found = words
    for v in range(BITS):
        step = np.uint64(1 << v)
        zero, one = found & ~SET[v], found & SET[v]
        zero, one = zero | zero << step, one | one >> step
        found = np.stack([zero, one, zero ^ one, found], axis=v + 1)
    return found


def _cheapest(functions: Words) -> tuple[NDArray[np.int16], NDArray[np.int8]]:
    """Operations of each function, and the way to make it: 8 v + one of WAYS; -1 for a constant or a bit."""
    constant = (functions == 0) | (functions == ONES)
    costs = np.where(constant, np.int16(0), NEVER)
    for v in range(BITS):
        costs[functions == SET[v]] = 0
    ways = np.full(functions.shape, -1, np.int8)
    for _ in range(BITS):
        for v in range(BITS):
            part = [np.take(functions, digit, v + 1) for digit in range(3)]
            cost = [np.take(costs, digit, v + 1) for digit in range(3)]
            here = (slice(None),) * (v + 1) + (3,)
            for way, found in enumerate(_ways(part, cost)):
                better = found < costs[here]
                costs[here] = np.where(better, found, costs[here])
                ways[here] = np.where(better, np.int8(8 * v + way), ways[here])
    return costs, ways


def _ways(part: list[Words], cost: list[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
    """Operations with each of WAYS, in their order."""
    (zero, one, other), (c0, c1, cg) = part, cost
    yield np.where(other == 0, c0, NEVER)
    yield c0 + cg + (other != ONES) + (zero != 0)
    yield c1 + cg + 1 + (one != 0)
    yield np.where(zero == ONES, c1 + np.int16(1), NEVER)
    yield np.where(one == ONES, c0 + np.int16(1), NEVER)
    yield c0 + c1 + 3


SAME, DAVIO, NEGATIVE, UNLESS, OR, SHANNON = range(6)  # WAYS


class _Text:
    """The expressions of one table."""

    def __init__(self, functions: Words, ways: NDArray[np.int8]) -> None:
        self.functions, self.ways = functions, ways
        self.uses: dict[int, int] = {}
        self.lines: list[tuple[str, str]] = []
        self.known: dict[int, str] = {}
        self.bits: set[int] = set()

    def logic(self, operations: int) -> Logic:
        root = (3,) * BITS
        self._count(root)
        result = self._expression(root)
        return Logic(tuple(self.lines), result, operations, tuple(sorted(self.bits)))

    def _parts(self, state: tuple[int, ...]) -> tuple[int, int, list[tuple[int, ...]]]:
        v, way = divmod(int(self.ways[state]), 8)
        return v, way, [(*state[:v], digit, *state[v + 1 :]) for digit in range(3)]

    def _count(self, state: tuple[int, ...]) -> None:
        """How often each function is used."""
        function = int(self.functions[state])
        self.uses[function] = self.uses.get(function, 0) + 1
        if self.ways[state] < 0 or self.uses[function] > 1:
            return
        _, way, (zero, one, other) = self._parts(state)
        used = {SAME: [zero], DAVIO: [zero, other], NEGATIVE: [one, other], UNLESS: [one], OR: [zero]}
        for part in used.get(way, [zero, zero, one]):
            self._count(part)

    def _expression(self, state: tuple[int, ...]) -> str:
        function = int(self.functions[state])
        if function in self.known:
            return self.known[function]
        text = self._made(state)
        if self.uses[function] > 1 and self.ways[state] >= 0 and len(text) > 2:
            name = f"t{len(self.lines)}"
            self.lines.append((name, text.removeprefix("(").removesuffix(")") if _whole(text) else text))
            text = name
        self.known[function] = text
        return text

    def _made(self, state: tuple[int, ...]) -> str:
        function = self.functions[state]
        if self.ways[state] < 0:
            if function in (0, ONES):
                return "0u" if function == 0 else "~0u"
            self.bits.add(SET.index(function))
            return NAMES[SET.index(function)]
        v, way, (zero, one, other) = self._parts(state)
        if way == SAME:
            return self._expression(zero)
        self.bits.add(v)
        x = NAMES[v]
        if way == DAVIO:
            term = x if self.functions[other] == ONES else f"({self._expression(other)} & {x})"
            return self._differs(zero, term)
        if way == NEGATIVE:
            return self._differs(one, f"({self._expression(other)} & ~{x})")
        if way == UNLESS:
            return f"({self._expression(one)} | ~{x})"
        if way == OR:
            return f"({self._expression(zero)} | {x})"
        low, high = self._expression(zero), self._expression(one)
        return f"((({low} ^ {high}) & {x}) ^ {low})"

    def _differs(self, state: tuple[int, ...], term: str) -> str:
        """The function at `state` ^ term."""
        if self.functions[state] == 0:
            return term
        return f"~{term}" if self.functions[state] == ONES else f"({self._expression(state)} ^ {term})"


def _whole(text: str) -> bool:
    """Whether its first parenthesis ends it."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[0] == "(" and i == len(text) - 1
    return False
