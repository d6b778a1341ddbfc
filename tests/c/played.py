"""A plan played on memory that remembers who wrote each byte: input, answer, states and arena."""

from __future__ import annotations

from edgeternary.c import memory
from edgeternary.c.layouts import NATURAL
from edgeternary.c.plan import Buffer, Plan
from edgeternary.ir import Graph, State

Cell = tuple[str, str, int]  # kind of place, name of the state, byte


def cells(plan: Plan, buffer: Buffer) -> list[Cell]:
    """The bytes of a buffer, in order, or of what it is an alias of."""
    place = plan.places[buffer]
    first = place.offset if place.kind == "arena" else 0
    return [(place.kind, place.name, i) for i in range(first, first + buffer.bytes)]


def play(plan: Plan) -> None:
    """Run every step: its inputs must still be there, and it must not write over what it reads.

    At the end the answer and the next contents of all states must be there, while states are written back in
    their order.
    """
    graph, root = plan.graph, memory.roots(plan.steps)
    written_by: dict[Cell, Buffer] = {}
    for value in (graph.input, *(state.value for state in graph.states)):
        buffer = Buffer(value, NATURAL)
        if buffer in plan.places:
            written_by |= dict.fromkeys(cells(plan, buffer), buffer)
    for step in plan.steps:
        ins = [set(cells(plan, buffer)) for buffer in step.ins]
        for buffer, there in zip(step.ins, ins, strict=True):
            assert {written_by.get(i) for i in there} <= {root[buffer]}, f"an input of {step.layer} is lost"
        if step.offer.alias:
            continue
        out = set(cells(plan, step.out))
        start = plan.scratch.get(step, 0)
        scratch = {("arena", "", i) for i in range(start, start + step.offer.scratch)}
        assert not scratch & out.union(*ins), f"the scratch memory of {step.layer} overlaps a value"
        for position, there in enumerate(ins):
            reused = position in step.offer.in_place and min(there) == min(out)
            assert reused or not there & out, f"{step.layer} writes over its own input"
        assert all(i < plan.arena for kind, _, i in out | scratch if kind == "arena")
        for cell in scratch:
            written_by.pop(cell, None)
        written_by |= dict.fromkeys(out, step.out)
    _ends_well(plan, root, written_by)


def _ends_well(plan: Plan, root: dict[Buffer, Buffer], written_by: dict[Cell, Buffer]) -> None:
    graph = plan.graph
    answers = [memory.output_buffer(value, plan.places) for value in graph.output_values]
    for state in graph.states:
        source = _source(graph, plan, state)
        there = cells(plan, source)
        assert {written_by.get(i) for i in there} <= {root[source]}, f"the next {state.value.name} is lost"
        target = [("state", state.value.name, i) for i in range(len(there))]
        written_by |= dict.fromkeys(target, root[source])
    for answer in answers:
        assert {written_by.get(i) for i in cells(plan, answer)} <= {root[answer]}, "an answer is lost"


def _source(graph: Graph, plan: Plan, state: State) -> Buffer:
    """Where net_run takes the next content of a state from."""
    following = Buffer(graph.values[state.next], NATURAL)
    copied = Buffer(following.value, NATURAL, copy=True)
    return copied if copied in plan.places else following
