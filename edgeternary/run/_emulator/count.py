"""Counting, exactly, the instructions that a call runs, block by block and layer by layer."""

from collections import defaultdict
from collections.abc import Mapping

import unicorn

from edgeternary.boards import Memory
from edgeternary.run._emulator.decode import Block, Decoder
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count
from edgeternary.run._emulator.timing import Model

Node = tuple[int, int]  # address and size of a block
START: Node = (0, 0)
OUTSIDE = -1  # not in a layer: the model's run function itself


class Counter:
    """Counts the calls of one machine.

    The emulator reports each block of straight-line code as it starts, as address and size. Pairs of
    successive blocks are counted: a pair whose second block is not the fall-through of the first is a
    taken branch. The emulator may split a stretch of code anywhere; a pair that falls through costs
    nothing extra, so that splits do not matter.

    layers  {address of a layer's function: number of the layer}; what it calls is part of the layer
    root    address of the function that calls them
    calls   numbers of the layers whose functions it called since `reset`, in order
    """

    def __init__(self, machine: Machine, layers: Mapping[int, int], root: int, timing: Model | None) -> None:
        self._elf = machine.elf
        self._end: Node = (machine.stop, 0)
        self._layers, self._root, self._timing = layers, root, timing
        self._decoder = Decoder(machine)
        self._edges: dict[int, dict[tuple[Node, Node], int]] = {}
        self._owners: dict[int, int | None] = {}
        self.calls: list[int] = []
        self._edge_costs: dict[tuple[Node, Node], tuple[int, float | None]] = {}
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
        zero = Count(0, 0 if self._timing else None)
        return {
            call: sum((self._edge(edge, times) for edge, times in edges.items()), zero)
            for call, edges in self._edges.items()
        }

    def fetched(self, flash: Memory, cache: int) -> dict[int, int]:
        """Bytes of code that each of `calls` fetched from `flash` since `reset`.

        A layer whose code fits into the cache fetches it once; of other code every run is fetched.
        """
        found: dict[int, int] = {}
        for call, edges in self._edges.items():
            runs: dict[Node, int] = defaultdict(int)
            for (_, node), times in edges.items():
                if flash.origin <= node[0] < flash.origin + flash.bytes:
                    runs[node] += times
            once = sum(size for _, size in runs)
            found[call] = once if once <= cache else sum(size * times for (_, size), times in runs.items())
        return found

    def edges(self) -> dict[tuple[Node, Node], int]:
        """The number of times that a block followed another one since `reset`, over all layers."""
        merged: dict[tuple[Node, Node], int] = defaultdict(int)
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

    def _edge(self, edge: tuple[Node, Node], times: int) -> Count:
        if edge not in self._edge_costs:
            self._edge_costs[edge] = self._cost(*edge)
        instructions, cycles = self._edge_costs[edge]
        return Count(instructions * times, None if cycles is None else round(cycles * times))

    def _cost(self, previous: Node, node: Node) -> tuple[int, float | None]:
        """Instructions of `node`; its cycles, and those that leaving `previous` by a branch adds."""
        block = self._decoder.block(*node)
        if self._timing is None:
            return len(block.instructions), None
        before: Block | None = None if previous == START else self._decoder.block(*previous)
        return len(block.instructions), self._timing.cycles(before, block)
