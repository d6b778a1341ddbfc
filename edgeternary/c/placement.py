"""Offsets in the arena: several orders of first fit, then a seeded search, until the lower bound is met.

A block keeps its offset while it lives, but its size may change from step to step (a pool in place leaves a
smaller map). At step t blocks a and b overlap unless a.offset + a.sizes[t] <= b.offset or the other way
round; no arena can be smaller than the sum of the sizes at the worst step.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Offsets = list[int]
TRIES = 400  # shuffled orders after the fixed ones


@dataclass
class Block:
    """Memory at one offset. sizes: bytes needed at each step, by the number of the step; all consecutive."""

    sizes: dict[int, int] = field(default_factory=dict)
    offset: int = 0

    @property
    def size(self) -> int:
        return max(self.sizes.values(), default=0)

    @property
    def first(self) -> int:
        return min(self.sizes, default=0)

    @property
    def last(self) -> int:
        return max(self.sizes, default=0)

    def need(self, first: int, last: int, size: int) -> None:
        """Be at least `size` bytes from step `first` to step `last`, both included."""
        for step in range(first, last + 1):
            self.sizes[step] = max(self.sizes.get(step, 0), size)


def lower_bound(blocks: Sequence[Block]) -> int:
    """Bytes that are alive at the worst step."""
    total: dict[int, int] = {}
    for block in blocks:
        for step, size in block.sizes.items():
            total[step] = total.get(step, 0) + size
    return max(total.values(), default=0)


def place(blocks: Sequence[Block], tries: int = TRIES) -> int:
    """Give each block an offset so that none overlap; returns the bytes of the arena. Deterministic."""
    bound = lower_bound(blocks)
    conflicts = _conflicts(blocks)
    best: tuple[int, Offsets] | None = None
    best_order: list[int] = []
    shuffle = random.Random(0)
    for number in range(len(_ORDERS) + tries):
        if number < len(_ORDERS):
            order = sorted(range(len(blocks)), key=lambda i: _ORDERS[number](blocks[i]))
        else:
            order = _disturbed(best_order, shuffle)
        found = _first_fit(blocks, order, conflicts)
        if best is None or found[0] <= best[0]:
            best, best_order = found, order
        if best[0] <= bound:
            break
    assert best is not None
    for block, offset in zip(blocks, best[1], strict=True):
        block.offset = offset
    return best[0]


_ORDERS: tuple[Callable[[Block], tuple[int, ...]], ...] = (
    lambda b: (-b.size, b.first),
    lambda b: (-sum(b.sizes.values()), b.first),
    lambda b: (-len(b.sizes), -b.size, b.first),
    lambda b: (b.first, -b.size),
    lambda b: (-b.last, -b.size),
)

T = TypeVar("T")


def _disturbed(order: Sequence[T], shuffle: random.Random) -> list[T]:
    """The order with one or two blocks moved elsewhere."""
    changed = list(order)
    for _ in range(shuffle.randint(1, 2)):
        changed.insert(shuffle.randrange(len(changed)), changed.pop(shuffle.randrange(len(changed))))
    return changed


def _conflicts(blocks: Sequence[Block]) -> list[list[tuple[int, int, int]]]:
    """For each block (other, most bytes of itself, most bytes of the other) over shared steps."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in blocks]
    for i, a in enumerate(blocks):
        for j, b in enumerate(blocks):
            shared = a.sizes.keys() & b.sizes.keys()
            if i != j and shared:
                found[i].append((j, max(a.sizes[t] for t in shared), max(b.sizes[t] for t in shared)))
    return found


def _first_fit(
    blocks: Sequence[Block], order: Sequence[int], conflicts: Sequence[Sequence[tuple[int, int, int]]]
) -> tuple[int, Offsets]:
    """Blocks in `order` take the lowest free offset: outside (b.offset - own, b.offset + other) of each b."""
    offsets = [-1] * len(blocks)
    top = 0
    for i in order:
        taken = sorted((offsets[j] - a, offsets[j] + b) for j, a, b in conflicts[i] if offsets[j] >= 0)
        offset = 0
        for start, end in taken:
            if offset <= start:
                break
            offset = max(offset, end)
        offsets[i] = offset
        top = max(top, offset + blocks[i].size)
    return top, offsets
