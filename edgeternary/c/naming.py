"""Names and small pieces of text in generated C: identifiers, types, comments, tables."""

import re
from dataclasses import dataclass

from edgeternary.c.layouts import Natural, Planes, Words, planes
from edgeternary.c.plan import Buffer, Plan, Step
from edgeternary.c.slices.layout import Slices
from edgeternary.c.tables import Table
from edgeternary.ir.names import identifier

# what net_run calls its own, and the types of its arguments
RESERVED = ("net", "in", "out", "i", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t")


@dataclass(frozen=True)
class Names:
    """Identifiers of one model: its own, and one for each value and each buffer.

    ports  of net_run's arguments, by the names of inputs and outputs: in and out where there is one of each
    """

    net: str
    values: dict[str, str]
    buffers: dict[Buffer, str]
    ports: dict[str, str]


def make_names(plan: Plan) -> Names:
    """Identifiers that do not clash with each other, however the layers are called."""
    taken: set[str] = set(RESERVED)
    values: dict[str, str] = {}
    for name in plan.graph.values:
        values[name] = identifier(name, taken)
        taken.add(values[name])
    buffers: dict[Buffer, str] = {}
    for buffer in plan.places:
        base = values[buffer.value.name]
        if not isinstance(buffer.layout, Natural) or buffer.copy:
            kind = "copy" if buffer.copy else type(buffer.layout).__name__.lower()
            base = identifier(f"{base} {kind}", taken)
            taken.add(base)
        buffers[buffer] = base
    graph = plan.graph
    ports = {name: values[name] for name in (*(x.name for x in graph.inputs), *graph.outputs)}
    if not graph.several:
        ports = {graph.input.name: "in", graph.output: "out"}
    return Names(identifier(graph.name), values, buffers, ports)


def api_names(net: str) -> dict[str, str]:
    """What the header of the model `net` declares, by what firmware/core calls it after IMAGE_ or BENCH_."""
    return {
        "MODEL": f"{net}_t", "IN": f"{net}_in_t", "OUT": f"{net}_out_t",
        "IN_SIZE": f"{net.upper()}_INPUT_SIZE", "OUT_SIZE": f"{net.upper()}_OUTPUT_SIZE",
        "RESET": f"{net}_reset", "RUN": f"{net}_run",
    }  # fmt: skip


def comment(text: str) -> str:
    """`text` as it may stand in a C comment: plain ASCII, no way to end or nest one."""
    return re.sub(r"[^A-Za-z0-9 _.,:()+=<>-]", "_", text)


def function_name(names: Names, index: int, step: Step) -> str:
    """net_<index>_<layer>, and for a conversion net_<index>_<value>_<kernel>."""
    suffix = "" if step.ops else f"_{step.kernel.name}"
    return f"{names.net}_{index}_{names.values[step.layer]}{suffix}"


def described(buffer: Buffer) -> str:
    """Shape, type and layout, for comments."""
    value, layout = buffer.value, buffer.layout
    text = f"{' x '.join(map(str, value.shape))} {value.type}"
    if isinstance(layout, Natural):
        return text
    if isinstance(layout, Words):
        return f"{text} in {layout.lanes} lanes of {layout.rows} x {layout.width} words"
    if isinstance(layout, Slices):
        return f"{text} in bit slices, {layout.parts} x {layout.stride} pixels a word"
    assert isinstance(layout, Planes)
    groups = "" if layout == planes(value) else f", groups of {layout.group}"
    return f"{text} in bit planes{groups}"


def ctype_of(names: Names, buffer: Buffer) -> str:
    """C type of an element of `buffer`, as step functions see it."""
    return shared_type(names, buffer.layout.ctype(buffer.value))


def shared_type(names: Names, ctype: str) -> str:
    """16-bit elements have a type of their own, see `model.c.j2`."""
    return f"{names.net}_{ctype}" if ctype in ("int16_t", "uint16_t") else ctype


def table_text(prefix: str, table: Table) -> str:
    """Definition of a constant array."""
    note = f" /* {comment(table.comment)} */" if table.comment else ""
    head = f"static const {table.ctype} {prefix}_{table.name}[{table.data.size}] = {{{note}"
    return f"{head}\n{table.text()}\n}};"
