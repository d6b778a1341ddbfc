"""One arena for all buffers between steps: live intervals, memory reused in place."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from edgeternary.c.layouts import NATURAL
from edgeternary.c.live import aligned
from edgeternary.c.placement import Block, lower_bound, place
from edgeternary.c.plan import Buffer, Place, Step
from edgeternary.ir import Graph, Value


@dataclass
class Owned(Block):
    """A block, and what lies in it one after the other."""

    buffers: list[Buffer] = field(default_factory=list)
    scratch_of: Step | None = None


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

    The inputs are read where the caller has them, and the outputs written where the caller wants them. States
    live in the model's struct, where their next content is made too if nobody needs the old one any more.
    Everything else shares the arena.
    """
    root = roots(steps)
    last = last_uses(graph, steps, root)
    fixed = _fixed_places(graph, steps, root, last)
    blocks = _blocks(steps, root, fixed, last)
    size = place(blocks)
    places = dict(fixed)
    places.update({buffer: Place("arena", block.offset) for block in blocks for buffer in block.buffers})
    resolved = {buffer: places[home] for buffer, home in root.items()}
    return resolved, {b.scratch_of: b.offset for b in blocks if b.scratch_of is not None}, size


def _blocks(
    steps: Sequence[Step], root: dict[Buffer, Buffer], fixed: dict[Buffer, Place], last: dict[Buffer, int]
) -> list[Owned]:
    """Scratch memory and buffers of the arena; what is written in place shares a block with its input."""
    owner: dict[Buffer, Owned] = {}
    blocks: list[Owned] = []
    for index, step in enumerate(steps):
        if step.offer.scratch:
            blocks.append(Owned({index: aligned(step.offer.scratch)}, scratch_of=step))
        if step.offer.alias or root[step.out] in fixed:
            continue
        block = _reusable(step, index, root, owner, last)
        if block is None:
            block = Owned()
            blocks.append(block)
        assert step.out not in owner, f"{step.layer} makes a buffer that was there before"
        block.need(index, last.get(step.out, index), aligned(step.out.bytes))
        block.buffers.append(step.out)
        owner[step.out] = block
    return blocks


def live_bytes(graph: Graph, steps: Sequence[Step]) -> int:
    """The lower bound of the arena: most bytes that are alive at one step, scratch memory included."""
    root = roots(steps)
    last = last_uses(graph, steps, root)
    return lower_bound(_blocks(steps, root, _fixed_places(graph, steps, root, last), last))


def last_uses(graph: Graph, steps: Sequence[Step], root: dict[Buffer, Buffer]) -> dict[Buffer, int]:
    """The last step that reads or writes each buffer's memory."""
    last = {root[buffer]: index for index, step in enumerate(steps) for buffer in (*step.ins, step.out)}
    for state in graph.states:  # written back after the last step
        key = Buffer(graph.values[state.next], NATURAL)
        for copied in (key, Buffer(key.value, key.layout, copy=True)):
            if copied in root:
                last[root[copied]] = len(steps)
    return last


def _fixed_places(
    graph: Graph, steps: Sequence[Step], root: dict[Buffer, Buffer], last: dict[Buffer, int]
) -> dict[Buffer, Place]:
    """Buffers outside the arena."""
    places = {Buffer(value, NATURAL): Place("in", name=value.name) for value in graph.inputs}
    for state in graph.states:
        places[Buffer(state.value, NATURAL)] = Place("state", name=state.value.name)
    for value in graph.output_values:
        places[root[output_buffer(value, root)]] = Place("out", name=value.name)
    return _next_states(graph, steps, root, last) | places


def _next_states(
    graph: Graph, steps: Sequence[Step], root: dict[Buffer, Buffer], last: dict[Buffer, int]
) -> dict[Buffer, Place]:
    """Next contents that can be made in the memory of their states, and need not be copied there at the end.

    The step that makes one is the last to read the state, and can write over it, or comes after that. What it
    makes is natural memory of its own, and neither an output nor another state's next content.
    """
    made = {step.out: (index, step) for index, step in enumerate(steps) if not step.offer.alias}
    written = [state.next for state in graph.states]
    found: dict[Buffer, Place] = {}
    for state in graph.states:
        old, new = Buffer(state.value, NATURAL), Buffer(graph.values[state.next], NATURAL)
        if new not in made or written.count(state.next) > 1:
            continue
        index, step = made[new]
        over = any(root[step.ins[position]] == old for position in step.offer.in_place)
        if last.get(old, -1) < index or (over and last[old] == index):
            found[new] = Place("state", name=state.value.name)
    return found


def output_buffer(value: Value, known: Container[Buffer]) -> Buffer:
    """The natural buffer of an output; its copy where that is memory of an input, a state or an output."""
    copied = Buffer(value, NATURAL, copy=True)
    return copied if copied in known else Buffer(value, NATURAL)


def _reusable(
    step: Step, index: int, root: dict[Buffer, Buffer], owner: dict[Buffer, Owned], last: dict[Buffer, int]
) -> Owned | None:
    """The block of an input that nobody needs after this step and that the kernel can write over."""
    for position in step.offer.in_place:
        home = root[step.ins[position]]
        if home in owner and last[home] == index and owner[home].last == index:
            return owner[home]
    return None
