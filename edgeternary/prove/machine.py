"""A module clock by clock on exact bits: what depends on the input stays a formula, the rest is constant."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from edgeternary.errors import EdgeTernaryError
from edgeternary.prove.cells import chosen
from edgeternary.prove.netlist import Cell, Memory, Module, Nets
from edgeternary.prove.terms import FALSE, TRUE, Bit, Terms, Word, X


@dataclass(frozen=True)
class Cut:
    """Nets that readers see as other bits.

    group     cuts of one group follow each other, and none sees what the others of its group give
    asked     nets that the function is told about
    function  (their bits, the bits of `nets`, what readers see of those that are cut already or are
              constants, else None) -> what readers see
    """

    group: str
    asked: Nets
    nets: Nets
    function: Callable[[Word, Word, tuple[Bit | None, ...]], Word]


class Machine:
    """A module with values on its nets.

    Registers of `known` begin with their initial values, all others are unknown until something is loaded.
    """

    def __init__(self, terms: Terms, module: Module, cuts: Iterable[Cut] = ()) -> None:
        self.terms, self.module = terms, module
        self.values = [FALSE, TRUE, *[X] * (module.count - 2)]
        self.steps: list[tuple[Nets, Callable[[], Word], Nets]] = []  # what is read, how, what is given
        seen = _replaced(module, list(cuts), self)
        self.registers = [(seen(r.d), r) for r in module.registers]
        self.controls = [(seen((r.enable, r.reset)), r) for r in module.registers]
        for cell in module.cells:
            self._cell(cell, seen)
        self.contents = {m.name: [self._constant(word) for word in m.words] for m in module.memories}
        for memory in module.memories:
            for address, data in memory.reads:
                self._read(memory, seen(address), data)
        self.writes = [(m, seen(a), seen(d), seen(e)) for m in module.memories for a, d, e in m.writes]
        self.seen = seen
        self._sort()
        for register in module.registers:
            self.write(register.q, self._constant(register.initial))

    @staticmethod
    def _constant(word: Nets) -> Word:
        return tuple((FALSE, TRUE, X)[bit] for bit in word)

    def _cell(self, cell: Cell, seen: Callable[[Nets], Nets]) -> None:
        inputs = {port: seen(nets) for port, nets in cell.inputs.items()}
        read, values = self.read, self.terms

        def work() -> Word:
            return cell.rule(values, {port: read(nets) for port, nets in inputs.items()}, cell.parameters)

        self.steps.append((tuple(n for nets in inputs.values() for n in nets), work, cell.outputs))

    def _read(self, memory: Memory, address: Nets, data: Nets) -> None:
        words = self.contents[memory.name]

        def work() -> Word:
            at = self.read(address)
            known = all(bit in (FALSE, TRUE) for bit in at)
            place = sum(bit << k for k, bit in enumerate(at)) - memory.offset if known else 0
            if known:
                return words[place] if 0 <= place < len(words) else (X,) * memory.width
            return chosen(self.terms, at, words) if not memory.offset and words else (X,) * memory.width

        self.steps.append((address, work, data))

    def _sort(self) -> None:
        """Steps in an order in which each comes after those that it reads. EdgeTernaryError for a loop."""
        source = {net: k for k, (_, _, outputs) in enumerate(self.steps) for net in outputs if net > 2}
        needs = [{source[n] for n in nets if n in source} for nets, _, _ in self.steps]
        readers: list[list[int]] = [[] for _ in self.steps]
        for k, found in enumerate(needs):
            for other in found:
                readers[other].append(k)
        left = [len(found) for found in needs]
        ready, order = [k for k, n in enumerate(left) if not n], []
        while ready:
            k = ready.pop()
            order.append(k)
            for other in readers[k]:
                left[other] -= 1
                if not left[other]:
                    ready.append(other)
        if len(order) < len(self.steps):
            raise EdgeTernaryError(
                f"module {self.module.name} has a loop without a register", "no part has one"
            )
        self.steps = [self.steps[k] for k in order]
        self.readers: dict[int, list[int]] = {}
        for k, (nets, _, _) in enumerate(self.steps):
            for net in set(nets):
                self.readers.setdefault(net, []).append(k)
        self._memory_steps = [
            k for k, s in enumerate(self.steps) if s[1].__qualname__.startswith("Machine._read")
        ]
        self._waiting = list(range(len(self.steps)))
        self._queued = [True] * len(self.steps)

    def read(self, nets: Nets) -> Word:
        values = self.values
        return tuple([values[net] for net in nets])

    def write(self, nets: Nets, word: Word) -> None:
        """New values; what reads them is worked out with the next `settle`."""
        values, readers, queued = self.values, self.readers, self._queued
        for net, bit in zip(nets, word, strict=True):
            if values[net] != bit and net > 2:
                values[net] = bit
                for k in readers.get(net, ()):
                    if not queued[k]:
                        queued[k] = True
                        heapq.heappush(self._waiting, k)

    def again(self, nets: Nets) -> None:
        """What reads some nets is worked out with the next `settle`, though they have not changed."""
        for net in nets:
            for k in self.readers.get(net, ()):
                if not self._queued[k]:
                    self._queued[k] = True
                    heapq.heappush(self._waiting, k)

    def settle(self) -> None:
        """Works out what follows from the values of inputs and registers."""
        waiting, queued = self._waiting, self._queued
        while waiting:
            k = heapq.heappop(waiting)
            queued[k] = False
            _, work, outputs = self.steps[k]
            self.write(outputs, work())

    def clock(self) -> None:
        """The next clock edge, after `settle`."""
        choose, loads = self.terms.choose, []
        for (d, r), ((enable, reset), _) in zip(self.registers, self.controls, strict=True):
            on, back = self.values[enable], self.values[reset]
            if on == FALSE and (back == FALSE or r.reset_needs_enable):
                continue
            new, old = self.read(d), self.read(r.q)
            if on != TRUE:
                new = tuple([choose(on, a, b) for a, b in zip(old, new, strict=True)])
            if back != FALSE:
                new = tuple([choose(back, a, b) for a, b in zip(new, self._constant(r.value), strict=True)])
            if new != old:
                loads.append((r.q, new))
        stored = [(m, self.read(a), self.read(d), self.read(e)) for m, a, d, e in self.writes]
        for nets, word in loads:
            self.write(nets, word)
        for memory, address, data, mask in stored:
            self._store(memory, address, data, mask)

    def _store(self, memory: Memory, address: Word, data: Word, enable: Word) -> None:
        if all(bit == FALSE for bit in enable):
            return
        words = self.contents[memory.name]
        known = all(bit in (FALSE, TRUE) for bit in address)
        place = sum(bit << k for k, bit in enumerate(address) if bit > 0) - memory.offset
        for k in [place] if known else range(len(words)):
            if 0 <= k < len(words):
                merged = tuple(map(self.terms.choose, enable, words[k], data))
                words[k] = (
                    merged
                    if known
                    else tuple(b if a == b else X for a, b in zip(words[k], merged, strict=True))
                )
        for step in self._memory_steps:
            if not self._queued[step]:
                self._queued[step] = True
                heapq.heappush(self._waiting, step)


def _replaced(module: Module, cuts: list[Cut], machine: Machine) -> Callable[[Nets], Nets]:
    """Adds the steps of cuts; the function gives the nets that a reader sees in place of others."""
    other: dict[int, int] = {}
    for _, group in groupby(cuts, lambda cut: cut.group):
        before = dict(other)
        for cut in group:
            raw = tuple(before.get(net, net) for net in cut.nets)
            held = tuple(other.get(net, net) if net < 3 or net in other else -1 for net in cut.nets)
            new = tuple(range(len(machine.values), len(machine.values) + len(raw)))
            machine.values += [X] * len(new)
            machine.steps.append(((*cut.asked, *raw, *held), _cutting(machine, cut, raw, held), new))
            other.update((a, b) for a, b, at in zip(cut.nets, new, held, strict=True) if at < 0)
    return lambda nets: tuple([other.get(net, net) for net in nets])


def _cutting(machine: Machine, cut: Cut, raw: Nets, held: Nets) -> Callable[[], Word]:
    def work() -> Word:
        seen = tuple(None if net < 0 else machine.values[net] for net in held)
        return cut.function(machine.read(cut.asked), machine.read(raw), seen)

    return work
