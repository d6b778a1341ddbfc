"""What makes a graph legal. Everything downstream relies on these checks and repeats none of them."""

from collections.abc import Sequence

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.names import check_name
from edgeternary.ir.op import REGISTRY, Op
from edgeternary.ir.value import State, Value

MAX_OPS = 10_000
MAX_PORTS = 64  # inputs, and outputs


def infer_values(
    model: str, inputs: Sequence[Value], states: Sequence[State], ops: Sequence[Op], outputs: Sequence[str]
) -> dict[str, Value]:
    """Every value of the graph called `model`, by name; EdgeTernaryError names the layer that is not legal.

    Checked: names are legal and unique, every input exists before it is used, each op accepts its
    operands (`Op.infer`, which also proves that no int32 accumulator overflows), states are written
    back with values that they can hold, and the outputs are layers', each another one.
    """
    values: dict[str, Value] = {}

    def add(value: Value) -> None:
        value.check()
        if value.name in values:
            raise EdgeTernaryError(
                f"two values are named {value.name!r}", remedy="give each layer its own name"
            )
        values[value.name] = value

    for role, count in (("inputs", len(inputs)), ("outputs", len(outputs))):
        if not 1 <= count <= MAX_PORTS:
            raise EdgeTernaryError(f"model {model!r} has {count} {role}", f"1 to {MAX_PORTS} are allowed")
    for value in inputs:
        add(value)
    for state in states:
        add(state.value)
    if not 1 <= len(ops) <= MAX_OPS:
        raise EdgeTernaryError(f"model {model!r} has {len(ops)} layers", f"1 to {MAX_OPS:,} are allowed")
    for op in ops:
        check_name(op.name, "layer")
        if REGISTRY.get(op.kind) is not type(op) and not op.internal:
            raise EdgeTernaryError(f"layer {op.name!r} has the unknown kind {op.kind!r}")
        for name in op.inputs:
            if name not in values:
                raise op.fail(
                    f"its input {name!r} is no earlier value", "list the layers in topological order"
                )
        if op.arity is not None and len(op.inputs) != op.arity:
            raise op.fail(f"it takes {op.arity} inputs, not {len(op.inputs)}")
        value = op.infer([values[name] for name in op.inputs])
        add(value)
    made = {op.name for op in ops}
    for output in outputs:
        if output not in made:
            raise EdgeTernaryError(
                f"the output {output!r} of model {model!r} is no value of a layer, or an output twice",
                remedy="show a value a second time through a Reshape to its own shape",
            )
        made.remove(output)
    for state in states:
        _check_state(state, values)
    return values


def _check_state(state: State, values: dict[str, Value]) -> None:
    value = state.value
    what = f"state {value.name!r} is not valid"
    if state.init.shape != value.shape or state.init.dtype != np.int32:
        raise EdgeTernaryError(what, f"its initial content must be int32 of shape {value.shape}")
    if not value.type.contains(state.init) or state.init.min() < value.lo or state.init.max() > value.hi:
        raise EdgeTernaryError(what, f"its initial content leaves [{value.lo}, {value.hi}] or {value.type}")
    written = values.get(state.next)
    if written is None:
        raise EdgeTernaryError(what, f"the value {state.next!r} that is written back does not exist")
    fits = value.lo <= written.lo and written.hi <= value.hi
    if written.shape != value.shape or written.type != value.type or not fits:
        raise EdgeTernaryError(
            what,
            f"{state.next!r} is {written.type} {written.shape} in [{written.lo}, {written.hi}], "
            f"the state {value.type} {value.shape} in [{value.lo}, {value.hi}]",
            "requantize the next state to the state's own type and interval",
        )
