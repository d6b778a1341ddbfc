"""The body of net_run and net_reset: pointers into the arena, calls of the steps, states."""

import numpy as np

from edgeternary.c.layouts import NATURAL, WORD_BYTES
from edgeternary.c.naming import Names, comment, ctype_of, described, function_name, table_text
from edgeternary.c.plan import Buffer, Place, Plan, Step
from edgeternary.c.tables import Table, literal
from edgeternary.ir import IntArray, State


def variables(plan: Plan, names: Names) -> list[str]:
    """Declarations of pointers into the arena, one for each buffer that a call makes there."""
    lines = []
    for step in plan.calls:
        place = plan.places[step.out]
        if place.kind == "arena":
            ctype = ctype_of(names, step.out)
            pointer = _pointer(ctype, place.offset)
            note = f"/* {described(step.out)}: {step.out.bytes} bytes */"
            lines.append(f"{ctype} *const {names.buffers[step.out]} = {pointer}; {note}")
    return lines


def _expression(plan: Plan, names: Names, buffer: Buffer) -> str:
    """How net_run names the memory of a buffer."""
    place = plan.places[buffer]
    if place.kind == "arena":
        return names.buffers[_home(plan, buffer)]
    if place.kind == "state":
        return f"net->{names.values[place.name]}"
    return names.ports[place.name]


def _home(plan: Plan, buffer: Buffer) -> Buffer:
    """The buffer that `buffer` is an alias of."""
    for step in plan.steps:
        if step.offer.alias and step.out == buffer:
            return _home(plan, step.ins[0])
    return buffer


def _pointer(ctype: str, offset: int) -> str:
    """The memory at a byte offset of the arena, as a pointer to `ctype`."""
    where = f"net->arena + {offset // WORD_BYTES}" if offset else "net->arena"
    if ctype == "uint32_t":
        return where
    return f"({ctype} *)({where})" if offset else f"({ctype} *){where}"


def call(plan: Plan, names: Names, index: int, step: Step, taps: bool) -> list[str]:
    """The call of one step, and of its tap."""
    arguments = [_expression(plan, names, buffer) for buffer in step.ins]
    if step.offer.scratch:
        arguments.append(_pointer(ctype_of(names, step.ins[0]), plan.scratch[step]))
    target = _expression(plan, names, step.out)
    lines = [f"{function_name(names, index, step)}({', '.join([*arguments, target])});"]
    if taps and step.ops:
        number = sum(bool(earlier.ops) for earlier in plan.calls[:index])
        lines.append(f"edgeternary_tap({number}, {target});")
    return lines


def state_fields(plan: Plan, names: Names, state: State) -> dict[str, object]:
    """What the templates need to know of a state."""
    value = state.value
    following = Buffer(plan.graph.values[state.next], NATURAL)
    copied = Buffer(following.value, NATURAL, copy=True)
    source = _expression(plan, names, copied if copied in plan.places else following)
    init = state.init.ravel()
    period = _period(init)
    same = period == 1
    name = names.values[value.name]
    table = Table("init", init[:period].astype(value.type.dtype))
    return {
        "name": name, "size": value.size, "ctype": value.type.ctype, "source": source, "period": period,
        "initial": literal(int(init[0])) if same else f"{names.net}_{name}_init[i]",
        "keep": state.next == value.name or plan.places.get(following) == Place("state", name=value.name),
        "title": comment(value.name), "shape": value.shape,
        "ragged": value.size * value.type.dtype.itemsize % 4 != 0,  # those after it are not aligned
        "table": "" if same else table_text(f"{names.net}_{name}", table),
    }  # fmt: skip


def _period(codes: IntArray) -> int:
    """The shortest beginning of an array that gives all of it when it is repeated."""
    sizes = (n for n in range(1, codes.size // 2 + 1) if codes.size % n == 0)
    repeats = (n for n in sizes if np.array_equal(codes[n:], codes[:-n]))
    return next(repeats, codes.size)
