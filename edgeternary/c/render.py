"""The text of the generated C files.

API, for a model whose identifier is `net`: `net_t` holds arena and states, `net_reset(net_t *)`,
`net_run(net_t *, const net_in_t *in, net_out_t *out)`; `in` and `out` are plain arrays, row-major, channels
last. Of several inputs and outputs each is an argument with the name of its value. The text depends on the
graph and the core alone: the same graph gives the same bytes.
"""

from collections.abc import Sequence
from functools import cache

from edgeternary.c import ports
from edgeternary.c.calls import call, state_fields, variables
from edgeternary.c.layouts import WORD_BYTES
from edgeternary.c.naming import Names, comment, ctype_of, described, function_name, make_names, table_text
from edgeternary.c.plan import Plan, Step
from edgeternary.c.select import select
from edgeternary.c.tidy import tidy
from edgeternary.data import templates_dir
from edgeternary.ir import Graph
from edgeternary.templating import render as text_of

HELPERS = ("clamp", "clamp64", "round_double", "weigh", "add", "increment", "agree")  # of helpers.c.j2


def render(graph: Graph, core: str = "cortex-m4", taps: bool = False) -> dict[str, str]:
    """C source and header of `graph`, with the kernels that suit `core`: {file name: text}.

    taps  call `edgeternary_tap(index, value)`, which the harness defines, after each step; `Plan.taps` of
          `select(graph, core)` says what the indices mean
    """
    return render_plan(select(graph, core), taps)


def render_plan(plan: Plan, taps: bool = False) -> dict[str, str]:
    """The same for a plan that is there already."""
    names = make_names(plan)
    calls = plan.calls
    isa = plan.core.isa
    known: dict[object, str] = {}
    functions = [_function(plan, names, index, step, known) for index, step in enumerate(calls)]
    routines = _routines(names.net, functions, isa, plan.core.vectors)
    fields = {
        "net": names.net,
        "NET": names.net.upper(),
        "graph": plan.graph,
        "title": comment(plan.graph.name),
        "inputs": ports.inputs(plan.graph, names),
        "outputs": ports.outputs(plan.graph, names),
        "several": plan.graph.several,
        "unused": ports.unused(plan, names),
        "arena_words": max(plan.arena // WORD_BYTES, 1),
        "uses_arena": any(place.kind == "arena" for place in plan.places.values()) or bool(plan.scratch),
        "states": [state_fields(plan, names, state) for state in plan.graph.states],
        "functions": functions,
        "helpers": _helpers(names.net, functions),
        "routines": routines,
        "isa": isa,
        "variables": variables(plan, names),
        "calls": [call(plan, names, index, step, taps) for index, step in enumerate(calls)],
        "taps": taps,
        "from_ram": any(step.offer.from_ram for step in calls),
        "aliased": _aliased_types(plan, names.net, [*functions, *routines]),
        "quantizers": ports.quantizers(plan.graph, names),
    }
    return {
        f"{names.net}.c": tidy(text_of("model.c.j2", fields)),
        f"{names.net}.h": text_of("model.h.j2", fields),
    }


def _helpers(net: str, functions: Sequence[str]) -> set[str]:
    """Helpers that the functions call; a compiler would complain about others."""
    called = {name for name in HELPERS if any(f"{net}_{name}(" in text for text in functions)}
    return called | ({"ones4"} if "weigh" in called else set())


def _routines(net: str, functions: Sequence[str], isa: str, vectors: bool) -> list[str]:
    """Routines and types of `helpers/` that the functions need, each after those that it needs itself.

    A routine has its assembly for `isa`, and its reference in C.
    """
    found: dict[str, str] = {}
    fields: dict[str, object] = {"net": net, "NET": net.upper(), "isa": isa, "vectors": vectors}

    def add(texts: Sequence[str]) -> None:
        for name, template in _helper_templates().items():
            end = " " if name.endswith("_t") else "("
            if name not in found and any(f"{net}_{name}{end}" in text for text in texts):
                text = text_of(template, fields)
                found[name] = ""  # it names itself
                add([text])
                del found[name]
                found[name] = text

    add(functions)
    return list(found.values())


@cache
def _helper_templates() -> dict[str, str]:
    """{name of a routine or type: its template}, in alphabetical order."""
    root = templates_dir() / "c"
    files = sorted((root / "helpers").rglob("*.c.j2"), key=lambda file: file.name.removesuffix(".c.j2"))
    return {file.name.removesuffix(".c.j2"): file.relative_to(root).as_posix() for file in files}


def _function(plan: Plan, names: Names, index: int, step: Step, known: dict[object, str]) -> str:
    """Comment, constants and function of one step. `known`: names of tables that stand for equal ones."""
    body = step.body
    name = function_name(names, index, step)
    prefix = f"{names.net}_{names.values[step.layer]}" if step.ops else name  # several may convert a value
    tags, own = {}, []
    for table in body.tables:
        contents = (table.ctype, table.data.tobytes())
        if table.once and contents in known:
            tags[table.name] = known[contents]
            continue
        own.append(table)
        tags[table.name] = f"{prefix}_{table.name}"
        if table.once:
            known[contents] = tags[table.name]
    fields: dict[str, object] = {
        **body.fields,
        "net": names.net,
        "isa": plan.core.isa,
        "prefix": prefix,
        "function": name,
        "title": _title(step),
        "signature": _signature(plan, names, name, step),
        "tables": "".join(f"{table_text(prefix, table)}\n\n" for table in own),
        "tags": tags,
        "types": [ctype_of(names, buffer) for buffer in step.ins],
        "y_ctype": ctype_of(names, step.out),
    }
    text = text_of(_template(step, plan.core.name), fields)
    return _from_ram(names.net.upper(), text) if step.offer.from_ram else text


def _from_ram(net: str, text: str) -> str:
    """The same functions in the section that the start-up copies to RAM."""
    for kind in ("STEP", "ASM"):
        text = text.replace(f"{net}_{kind} ", f"{net}_{kind} {net}_FROM_RAM ")
    return text


def _template(step: Step, core: str) -> str:
    name = f"{step.kernel.folder}/{step.kernel.name}"
    special = f"{name}.{core}.c.j2"
    return special if (templates_dir() / "c" / special).is_file() else f"{name}.c.j2"


def _title(step: Step) -> str:
    """What a step does, for its comment: names, ops, shapes, types and layouts."""
    ins = ", ".join(described(buffer) for buffer in step.ins)
    what = " + ".join(f"{op.kind} {comment(op.name)}" for op in step.ops)
    what = what or f"{step.kernel.name} {comment(step.layer)}"
    return f"{what}\n *\n * {ins} -> {described(step.out)}"


def _signature(plan: Plan, names: Names, name: str, step: Step) -> str:
    letters = ["x"] if len(step.ins) == 1 else [f"x{i}" for i in range(len(step.ins))]
    arguments = [f"const {ctype_of(names, b)} *{letter}" for b, letter in zip(step.ins, letters, strict=True)]
    if step.offer.scratch:
        arguments.append(f"{ctype_of(names, step.ins[0])} *window")
    arguments.append(f"{ctype_of(names, step.out)} *y")
    return f"{names.net.upper()}_STEP void {name}({', '.join(arguments)})"


def _aliased_types(plan: Plan, net: str, functions: Sequence[str]) -> list[str]:
    """16-bit types of buffers, and of tables that functions build in scratch memory."""
    kinds = {buffer.layout.ctype(buffer.value) for buffer in plan.places}
    named = {kind for kind in ("int16_t", "uint16_t") if any(f"{net}_{kind} " in text for text in functions)}
    return sorted((kinds | named) & {"int16_t", "uint16_t"})
