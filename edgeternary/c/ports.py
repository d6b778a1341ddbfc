"""The inputs and outputs of a model in its header: names, types, sizes, and functions that make codes."""

from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.naming import Names, comment
from edgeternary.c.plan import Plan
from edgeternary.c.quantize import quantize_fields
from edgeternary.ir import Graph, Value
from edgeternary.ir.meta import LARGEST, SMALLEST, InputMeta
from edgeternary.ir.sensor import identity

LINE = 100  # letters of a line of notes


def inputs(graph: Graph, names: Names) -> list[dict[str, object]]:
    """What the templates need to know of each input."""
    return [
        {**_port(graph, names, value, "input"), "notes": _meaning(graph.meta.of_input(value.name))}
        for value in graph.inputs
    ]


def outputs(graph: Graph, names: Names) -> list[dict[str, object]]:
    """The same of each output."""
    return [_output(graph, names, value) for value in graph.output_values]


def quantizers(graph: Graph, names: Names) -> list[dict[str, object]]:
    """A function for each input whose sensor values are not codes already."""
    found = []
    for value, port in zip(graph.inputs, inputs(graph, names), strict=True):
        if not identity(graph.meta.of_input(value.name)):
            end = f"_{port['name']}" if graph.several else ""
            tables = f"{names.net}{end}"
            function = f"{names.net}_quantize{end}"
            found.append({**port, "function": function, "tables": tables, **quantize_fields(graph, value)})
    return found


def _meaning(meta: InputMeta) -> list[str]:
    """What codes of an input stand for, in lines."""
    if identity(meta):
        return []
    scale, zero = (
        ", ".join(f"{n:.9g}" for n in (given if isinstance(given, tuple) else (given,)))
        for given in (meta.scale, meta.zero)
    )
    each = "; one for each channel" if isinstance(meta.scale, tuple) or isinstance(meta.zero, tuple) else ""
    return [
        f"sensor value = (code - zero) * scale{each}",
        *wrap(f"scale {scale}", LINE),
        *wrap(f"zero {zero}", LINE),
    ]


def _output(graph: Graph, names: Names, value: Value) -> dict[str, object]:
    """logit_scale: C text, "" where it is 1; classify: the function that finds a class, "" for no vector;
    logit: a function where a logit is more than an element times one scale, with C text of its `terms`."""
    port, meta, net = _port(graph, names, value, "output"), graph.meta.of_output(value.name), names.net
    labels = ", ".join(f"{i} {comment(label)}" for i, label in enumerate(meta.labels))
    codes = meta.logit_zero != 0 or bool(meta.labels)
    vector = (value.type.name == "int32" or codes) and len(value.shape) == 1 and value.size > 1
    scales, offsets = (
        np.broadcast_to(np.asarray(n, np.float32), value.channels)
        for n in (meta.logit_scale, meta.logit_offset)
    )
    full = isinstance(meta.logit_scale, tuple) or meta.logit_zero != 0 or bool(np.any(offsets))
    scaled = not isinstance(meta.logit_scale, tuple) and meta.logit_scale != 1
    scaled = scaled and SMALLEST <= scales[0] <= LARGEST
    end = f"_{port['name']}" if graph.several else ""
    return {
        **port,
        "notes": wrap(f"classes {labels}", LINE) if labels else [],
        "logit_scale": f"{scales[0]!s}f" if scaled else "",
        "logit": f"{net}_logit{end}" if full else "",
        "logit_zero": meta.logit_zero,
        "scales": _each(scales),
        "offsets": _each(offsets),
        "by_logit": len(set(scales)) > 1 or len(set(offsets)) > 1,
        "logit_macro": f"{net.upper()}{end.upper()}_LOGIT_SCALE",
        "classify": f"{net}_class{end}" if vector else "",
    }


def _each(numbers: NDArray[np.float32]) -> list[str]:
    """C text of each number; a single one where all are equal."""
    text = [f"{n!s}f" for n in numbers]
    return text[:1] if len(set(text)) == 1 else text


def unused(plan: Plan, names: Names) -> list[str]:
    """Arguments of inputs that nothing reads; of one input it is always read."""
    read = {plan.places[buffer].name for step in plan.calls for buffer in step.ins}
    read |= {state.next for state in plan.graph.states}
    inputs = plan.graph.inputs if plan.graph.several else ()
    return [names.ports[value.name] for value in inputs if value.name not in read]


def _port(graph: Graph, names: Names, value: Value, role: str) -> dict[str, object]:
    """name: of the argument of net_run; macro: of the number of its elements."""
    name = names.ports[value.name]
    if not graph.several:
        return {
            "value": value, "name": name, "ctype": f"{names.net}_{name}_t", "role": role,
            "macro": f"{names.net.upper()}_{role.upper()}_SIZE", "what": f"the {role}",
        }  # fmt: skip
    return {
        "value": value, "name": name, "ctype": value.type.ctype, "role": role,
        "macro": f"{names.net.upper()}_{name.upper()}_SIZE", "what": f"{role} {name}",
    }  # fmt: skip
