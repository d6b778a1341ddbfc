"""One arena for all buffers between steps: live intervals, memory reused in place, offsets by first fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeternary.c.layouts import NATURAL, WORD_BYTES
from edgeternary.c.plan import Buffer, Place, Step
from edgeternary.ir import Graph


@dataclass
class Block:
    """Memory that is needed from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int
    offset: int = 0
    buffers: list[Buffer] = field(default_factory=list)
    scratch_of: Step | None = None

    def meets(self, other: Block) -> bool:
        return self.first <= other.last and other.first <= self.last


def roots(steps: Sequence[Step]) -> dict[Buffer, Buffer]:
    """For each buffer the one whose memory it is: itself, or what an alias step looks at."""
    root: dict[Buffer, Buffer] = {}
    for step in steps:
        for buffer in step.ins:
            root.setdefault(buffer, buffer)
        root[step.out] = root[step.ins[0]] if step.offer.alias else step.out
    return root


def plan_memory(graph: Graph, steps: Sequence[Step]) -> tuple[dict[Buffer, Place], dict[Step, int], int]:
    """Places of all buffers, scratch offsets by step, and the bytes of the arena.

    The input is read where the caller has it, the output written where the caller wants it, states live
    in the model's struct; everything else shares the arena.
    """
    root = roots(steps)
    fixed = _fixed_places(graph, root)
    last = {buffer: index for index, step in enumerate(steps) for buffer in _kept(step, root)}
    for state in graph.states:  # written back after the last step
        key = Buffer(graph.values[state.next], NATURAL)
        for copied in (key, Buffer(key.value, key.layout, copy=True)):
            if copied in root:
                last[root[copied]] = len(steps)
    owner: dict[Buffer, Block] = {}
    blocks: list[Block] = []
    for index, step in enumerate(steps):
        if step.offer.scratch:
            blocks.append(Block(_aligned(step.offer.scratch), index, index, scratch_of=step))
        if step.offer.alias or root[step.out] in fixed:
            continue
        block = _reusable(step, index, root, owner, last)
        if block is None:
            block = Block(0, index, index)
            blocks.append(block)
        block.size = max(block.size, _aligned(step.out.bytes))
        block.last = max(block.last, last.get(step.out, index))
        block.buffers.append(step.out)
        owner[step.out] = block
    size = first_fit(blocks)
    places = dict(fixed)
    places.update({buffer: Place("arena", block.offset) for block in blocks for buffer in block.buffers})
    resolved = {buffer: places[home] for buffer, home in root.items()}
    return resolved, {b.scratch_of: b.offset for b in blocks if b.scratch_of is not None}, size


def first_fit(blocks: Sequence[Block]) -> int:
    """Give each block an offset so that blocks alive at the same time do not overlap; returns the total.

    Large blocks come first; a block takes the lowest gap that is wide enough.
    """
    placed: list[Block] = []
    for block in sorted(blocks, key=lambda b: (-b.size, b.first)):
        offset = 0
        for other in sorted((b for b in placed if b.meets(block)), key=lambda b: b.offset):
            if offset + block.size <= other.offset:
                break
            offset = max(offset, other.offset + other.size)
        block.offset = offset
        placed.append(block)
    return max((b.offset + b.size for b in blocks), default=0)


def _fixed_places(graph: Graph, root: dict[Buffer, Buffer]) -> dict[Buffer, Place]:
    """Buffers outside the arena."""
    places = {Buffer(graph.input, NATURAL): Place("in")}
    for state in graph.states:
        places[Buffer(state.value, NATURAL)] = Place("state", state=state.value.name)
    places[root[output_buffer(graph, root)]] = Place("out")
    return places


def output_buffer(graph: Graph, known: dict[Buffer, Buffer]) -> Buffer:
    """The natural buffer of the answer; its copy where the answer is the memory of an input or a state."""
    copied = Buffer(graph.output_value, NATURAL, copy=True)
    return copied if copied in known else Buffer(graph.output_value, NATURAL)


def _kept(step: Step, root: dict[Buffer, Buffer]) -> list[Buffer]:
    return [root[buffer] for buffer in (*step.ins, step.out)]


def _reusable(
    step: Step, index: int, root: dict[Buffer, Buffer], owner: dict[Buffer, Block], last: dict[Buffer, int]
) -> Block | None:
    """The block of an input that nobody needs after this step and that the kernel can write over."""
    for position in step.offer.in_place:
        home = root[step.ins[position]]
        if home in owner and last[home] == index and owner[home].last == index:
            return owner[home]
    return None


def _aligned(size: int) -> int:
    return -(-size // WORD_BYTES) * WORD_BYTES
