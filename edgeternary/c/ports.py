"""The inputs and outputs of a model in its header: names, types, sizes, and functions that make codes."""

from edgeternary.c.naming import Names
from edgeternary.c.plan import Plan
from edgeternary.c.quantize import quantize_fields
from edgeternary.ir import Graph, Value
from edgeternary.ir.sensor import identity


def inputs(graph: Graph, names: Names) -> list[dict[str, object]]:
    """What the templates need to know of each input."""
    return [_port(graph, names, value, "input") for value in graph.inputs]


def outputs(graph: Graph, names: Names) -> list[dict[str, object]]:
    """The same of each output."""
    return [_port(graph, names, value, "output") for value in graph.output_values]


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
