"""Counting, exactly, the instructions that a call runs, block by block and layer by layer."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import unicorn

from edgeternary.run._emulator.decode import Block, Decoder
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count
from edgeternary.run._emulator.timing import Model
from edgeternary.run._emulator.timing.waits import Fetch

Node = tuple[int, int]  # address and size of a block
Edge = tuple[Node, Node]
START: Node = (0, 0)
OUTSIDE = -1  # not in a layer: the model's run function itself


@dataclass(frozen=True)
class Cost:
    """A block, run once after another one; waits for its code, with a prefetcher and without."""

    instructions: int
    cycles: float = 0
    prefetched: float = 0
    waits: int = 0


class Counter:
    """Counts the calls of one machine.

    The emulator reports each block of straight-line code as it starts, as address and size. Pairs of
    successive blocks are counted: a pair whose second block is not the fall-through of the first is a
    taken branch. The emulator may split a stretch of code anywhere; a pair that falls through costs
    nothing extra, so that splits do not matter.

    layers  {address of a layer's function: number of the layer}; what it calls is part of the layer
    root    address of the function that calls them
    fetch   how code comes out of flash; None where it arrives at once
    calls   numbers of the layers whose functions it called since `reset`, in order
    """

    def __init__(
        self,
        machine: Machine,
        layers: Mapping[int, int],
        root: int,
        timing: Model | None,
        fetch: Fetch | None = None,
    ) -> None:
        self._elf, self._flash, self._fetch = machine.elf, machine.flash, fetch
        self._end: Node = (machine.stop, 0)
        self._layers, self._root, self._timing = layers, root, timing
        self._decoder = Decoder(machine)
        self._edges: dict[int, dict[Edge, int]] = {}
        self._owners: dict[int, int | None] = {}
        self.calls: list[int] = []
        self._costs: dict[Edge, Cost] = {}
        self._previous: Node = START
        self._layer = OUTSIDE
        machine.on_block(self._block)
        self.reset()

    def reset(self) -> None:
        """Forget what was counted."""
        self._edges = defaultdict(lambda: defaultdict(int))
        self._previous, self._layer, self.calls = START, OUTSIDE, []

    def returned(self) -> None:
        """Counts the return of the call, which is a taken branch too."""
        self._edges[OUTSIDE][self._previous, self._end] += 1
        self._previous, self._layer = START, OUTSIDE

    def layers(self) -> dict[int, Count]:
        """The count of each of `calls` since `reset`; the key OUTSIDE is the run function itself."""
        return {call: self._layer_count(edges) for call, edges in self._edges.items()}

    def edges(self) -> dict[Edge, int]:
        """The number of times that a block followed another one since `reset`, over all layers."""
        merged: dict[Edge, int] = defaultdict(int)
        for edges in self._edges.values():
            for edge, times in edges.items():
                merged[edge] += times
        return merged

    def _block(self, _uc: unicorn.Uc, address: int, size: int, _data: object) -> None:
        owner = self._owners[address] if address in self._owners else self._owner(address)
        if owner == OUTSIDE:
            self._layer = OUTSIDE
        elif owner is not None and self._layer == OUTSIDE:
            self._layer = len(self.calls)
            self.calls.append(owner)
        node = (address, size)
        self._edges[self._layer][self._previous, node] += 1
        self._previous = node

    def _owner(self, address: int) -> int | None:
        """The layer whose function holds `address`; None for a function that several layers may call."""
        function = self._elf.function_at(address)
        owner = None
        if function is not None:
            owner = OUTSIDE if function.address == self._root else self._layers.get(function.address)
        self._owners[address] = owner
        return owner

    def _layer_count(self, edges: Mapping[Edge, int]) -> Count:
        counts = [self._cost(edge) for edge in edges]
        times = list(edges.values())
        instructions = sum(cost.instructions * n for cost, n in zip(counts, times, strict=True))
        if self._timing is None:
            return Count(instructions, None)
        cycles = sum(cost.cycles * n for cost, n in zip(counts, times, strict=True))
        if self._fetch is None:
            return Count(instructions, round(cycles))
        cached = self._cached(edges)
        waits = self._fetch.lines(cached) * self._fetch.states + sum(
            cost.prefetched * n
            for (_, node), cost, n in zip(edges, counts, times, strict=True)
            if node not in cached
        )
        most = cycles + sum(cost.waits * n for cost, n in zip(counts, times, strict=True))
        return Count(instructions, round(cycles + waits), round(most))

    def _cached(self, edges: Mapping[Edge, int]) -> set[Node]:
        """The code that stays in the cache: that of the innermost loops which fit into it together.

        Blocks that ran equally often are taken for one loop: where it does not fit, each turn replaces it.
        """
        runs: dict[Node, int] = defaultdict(int)
        for (_, node), times in edges.items():
            if self._in_flash(node):
                runs[node] += times
        cached: set[Node] = set()
        for often in sorted(set(runs.values()), reverse=True):
            more = cached | {node for node, times in runs.items() if times == often}
            if self._fetch is None or self._fetch.lines(more) * self._fetch.line > self._fetch.cache:
                break
            cached = more
        return cached

    def _cost(self, edge: Edge) -> Cost:
        if edge not in self._costs:
            previous, node = edge
            block = self._decoder.block(*node)
            cost = Cost(len(block.instructions))
            if self._timing is not None:
                before: Block | None = None if previous == START else self._decoder.block(*previous)
                steps = self._timing.steps(before, block)
                waits = (0.0, 0)
                if self._fetch is not None and self._in_flash(node):
                    waits = self._fetch.waits(before, block, steps)
                cost = Cost(len(block.instructions), sum(steps), *waits)
            self._costs[edge] = cost
        return self._costs[edge]

    def _in_flash(self, node: Node) -> bool:
        flash = self._flash
        return flash.origin <= node[0] < flash.origin + flash.bytes
