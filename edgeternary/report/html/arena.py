"""Which value lies where in the arena while each step runs."""

from typing import Any

from edgeternary.c.live import aligned
from edgeternary.c.memory import last_uses, roots
from edgeternary.c.plan import Plan


def arena(plan: Plan) -> dict[str, Any]:
    """bytes; steps: a name for each function that is called; blocks of memory.

    A block has a name, its layout (scratch: of a step's working memory), offset and bytes, and lives from
    step `first`, which makes it, to step `last`, which is the last to read it. A block that is made where
    one ends may lie on it: it is written in place.
    """
    root = roots(plan.steps)
    last = last_uses(plan.graph, plan.steps, root)
    called = [index for index, step in enumerate(plan.steps) if not step.offer.alias]
    number = {index: place for place, index in enumerate(called)}
    blocks: list[dict[str, Any]] = []
    for index in called:
        step, at = plan.steps[index], number[index]
        if step in plan.scratch:
            blocks.append(_block(step.layer, "scratch", plan.scratch[step], step.offer.scratch, at, at))
        place = plan.places[step.out]
        if place.kind == "arena" and root[step.out] == step.out:
            until = max((number[i] for i in called if i <= last.get(step.out, index)), default=at)
            value, size = step.out.value.name, aligned(step.out.bytes)
            blocks.append(_block(value, step.out.layout.name, place.offset, size, at, max(until, at)))
    names = [plan.steps[index].layer for index in called]
    return {"bytes": plan.arena, "steps": names, "blocks": blocks}


def _block(name: str, layout: str, offset: int, size: int, first: int, last: int) -> dict[str, Any]:
    return {"name": name, "layout": layout, "offset": offset, "bytes": size, "first": first, "last": last}
