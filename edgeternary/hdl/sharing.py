"""Sums of many rows, each of some of the same numbers, out of adders that rows share.

Greedy: again and again the full adder (three bits, or two) or the adder (two numbers, and a bit as its carry)
that saves the most LUTs over all rows becomes one node, and takes the place of what it adds up in every row
that has all of it. Then each row adds up what is left: bits in threes, then the narrowest numbers first, with
the bits that are left as carries.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeternary_hw import Circuit
from edgeternary_hw.fabric import Fabric

FULL = 2.0  # LUTs of a full adder
TRIED = 8  # pairs whose best third number is looked for
WIDEST = 64  # bits of a number
MOST = 4096  # numbers that may be shared, at first and then


BIT = 1.15  # LUTs for a bit among many, until all are added up
GAIN = 0.85  # LUTs that two narrow numbers take more than their sum, until all are added up


def shared(circuit: Circuit, rows: Sequence[Sequence[int]], fabric: Fabric) -> list[list[int]]:
    """For each row, a list of different nodes, fewer nodes with the same sum; new ones are shared."""
    return _Sharing(circuit, rows, fabric).found()


class _Sharing:
    """The rows while pairs and triples in them are replaced.

    has     (rows, slots): whether a row has the node of a slot; only nodes in two or more rows have a slot
    common  (slots, slots): rows that have both
    """

    def __init__(self, circuit: Circuit, rows: Sequence[Sequence[int]], fabric: Fabric) -> None:
        self.circuit, self.fabric = circuit, fabric
        self.rows = [set(row) for row in rows]
        counts: dict[int, int] = {}
        for row in self.rows:
            for n in row:
                counts[n] = counts.get(n, 0) + 1
        nodes = sorted((n for n, count in counts.items() if count > 1), key=lambda n: (-counts[n], n))
        nodes = sorted(nodes[: MOST // 2])
        size = min(2 * len(nodes) + 64, MOST)
        self.nodes = np.full(size, -1, np.int64)
        self.nodes[: len(nodes)] = nodes
        self.bits = np.zeros(size, np.int64)
        for k, n in enumerate(nodes):
            self.bits[k] = circuit.nodes[n].width
        self.has = np.zeros((len(self.rows), size), np.float32)
        place = {n: k for k, n in enumerate(nodes)}
        for r, row in enumerate(self.rows):
            for n in row:
                if n in place:
                    self.has[r, place[n]] = 1
        self.common = self.has.T @ self.has
        np.fill_diagonal(self.common, 0)
        widths = range(WIDEST)
        self.costs = np.array([FULL if n < 2 else fabric.adder(n) for n in widths])
        self.gains = np.array([max(self.costs[n] - BIT, GAIN) if n > 1 else GAIN for n in widths])
        self.best = np.full(size, -np.inf)
        self.partner = np.zeros(size, np.int64)
        self._rank(np.arange(size))

    def found(self) -> list[list[int]]:
        while step := self._next():
            self._replace(*step)
        return [sorted(row) for row in self.rows]

    def _scores(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """(slots, all): what sharing the sum of two would save, a carry or third bit included."""
        bits = self.bits[slots][:, None], self.bits[None, :]
        widest = np.maximum(*bits)
        same = (bits[0] == 1) == (bits[1] == 1)  # bits go with bits
        scores = self.common[slots] * (self.gains[widest] + BIT) - self.costs[widest]
        # of bits the best third one is not known: two alone count
        return np.where(same & (self.common[slots] > 1), scores, -np.inf)

    def _rank(self, slots: NDArray[np.int64]) -> None:
        """Of some slots, the best partner."""
        if slots.size:
            scores = self._scores(slots)
            self.partner[slots] = scores.argmax(axis=1)
            self.best[slots] = scores[np.arange(slots.size), self.partner[slots]]

    def _next(self) -> tuple[list[int], NDArray[np.int64]] | None:
        """The slots of what is best added up, and the rows that have all of them."""
        most, found = 0.0, None
        singles = self.bits == 1
        for group in (singles, self.bits > 1):
            best = np.where(group, self.best, -np.inf)
            tried = (
                np.argpartition(best, -2 * TRIED)[-2 * TRIED :]
                if best.size > 2 * TRIED
                else np.arange(best.size)
            )
            for a in tried:
                b = self.partner[a]
                if best[a] == -np.inf or (a > b and self.partner[b] == a):
                    continue
                both = self.has[:, a] * self.has[:, b]
                thirds = np.where(singles, both @ self.has, 0)
                thirds[[a, b]] = 0
                c = int(thirds.argmax())
                width = max(self.bits[a], self.bits[b])
                for slots, count, gain in (
                    ([a, b], both.sum(), self.gains[width]),
                    ([a, b, c], thirds[c], self.gains[width] + BIT),
                ):
                    saved = count * gain - self.costs[width]
                    if count > 1 and saved > most + 1e-9:
                        rows = both if len(slots) == 2 else both * self.has[:, c]
                        most, found = saved, ([int(s) for s in slots], np.flatnonzero(rows))
        return found

    def _replace(self, slots: list[int], rows: NDArray[np.int64]) -> None:
        old = [int(self.nodes[s]) for s in slots]
        new = self.circuit.add(old[0], old[1], carry=old[2] if len(old) > 2 else None)
        for r in rows:
            self.rows[r].difference_update(old)
            self.rows[r].add(new)
        self.has[rows[:, None], slots] = 0
        changed = list(slots)
        free = np.flatnonzero(self.nodes < 0)
        if free.size:
            slot = int(free[0])
            self.nodes[slot], self.bits[slot] = new, self.circuit.nodes[new].width
            self.has[rows, slot] = 1
            changed.append(slot)
        common = self.has.T @ self.has[:, changed]
        self.common[:, changed], self.common[changed, :] = common, common.T
        self.common[changed, changed] = 0
        for s in slots:
            if self.has[:, s].sum() < 2:
                self.nodes[s], self.bits[s] = -1, 0
                self.has[:, s] = 0
                self.common[s, :] = self.common[:, s] = 0
        stale = np.isin(self.partner, changed) & (self.best > -np.inf)
        stale[changed] = True
        self._rank(np.flatnonzero(stale))
        if len(changed) > len(slots):  # others may prefer the new number
            slot = changed[-1]
            scores = self._scores(np.array([slot]))[0]
            better = scores > self.best
            self.best[better], self.partner[better] = scores[better], slot


def added(circuit: Circuit, nodes: Sequence[int], fabric: Fabric) -> int:
    """The sum of nodes that are not below 0."""
    bits = [n for n in nodes if circuit.nodes[n].hi <= 1]
    numbers = [n for n in nodes if circuit.nodes[n].hi > 1]
    widths = [circuit.nodes[n].hi for n in numbers]
    threes = min(
        range(len(bits) // 3 + 1), key=lambda k: _cost(len(bits) - 3 * k, [*widths, *[3] * k], k, fabric)
    )
    for k in range(threes):
        numbers.append(circuit.add(*bits[3 * k : 3 * k + 2], carry=bits[3 * k + 2]))
    bits = bits[3 * threes :]
    while len(numbers) + len(bits) > 1:
        numbers.sort(key=lambda n: (circuit.nodes[n].hi, n))
        if len(numbers) > 1:
            a, b, *numbers = numbers
        elif numbers:
            a, b, numbers = numbers[0], bits.pop(), []
        else:
            a, b = bits.pop(), bits.pop()
        numbers.append(circuit.add(a, b, carry=bits.pop() if bits else None))
    return (numbers or bits or [circuit.const(0)])[0]


def _cost(bits: int, highest: list[int], threes: int, fabric: Fabric) -> float:
    """LUTs of `added` for bits, and numbers whose largest values are given."""
    cost, numbers = FULL * threes, sorted(highest)
    while len(numbers) + bits > 1:
        if len(numbers) > 1:
            a, b, *numbers = numbers
        elif numbers:
            a, b, numbers, bits = numbers[0], 1, [], bits - 1
        else:
            a, b, bits = 1, 1, bits - 2
        carry = int(bits > 0)
        bits -= carry
        width = max(a, b).bit_length()
        cost += FULL if width == 1 else fabric.adder(width)
        numbers = sorted([*numbers, a + b + carry])
    return cost
