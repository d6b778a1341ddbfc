"""The readable form of a graph, printed by `edgeternary inspect`."""

from typing import Any

import numpy as np

from edgeternary.ir.graph import Graph
from edgeternary.ir.op import Op
from edgeternary.ir.types import parse
from edgeternary.ir.value import Value


def dump(graph: Graph) -> str:
    """One line a value: name: type[shape] in [lo, hi] = kind(inputs, fields)."""
    lines = [f"model {graph.name}", *(f"  input  {_value(value)}" for value in graph.inputs)]
    lines += [f"  state  {_value(s.value)} <- {s.next}" for s in graph.states]
    for op in graph.ops:
        fields = [_field(op, name) for name in op.__struct_fields__ if name not in ("name", "inputs", "type")]
        inside = ", ".join([*op.inputs, *fields])
        lines.append(f"  {_value(graph.values[op.name])} = {op.kind}({inside})")
    lines += [f"  output {name}" for name in graph.outputs]
    lines.append(
        f"  {graph.macs():,} multiply-accumulates, {weight_bits(graph) / 8:,.0f} bytes of packed weights"
    )
    return "\n".join(lines)


def rows(graph: Graph) -> list[dict[str, Any]]:
    """The same as one dict a layer, for `--json`: name, kind, inputs, type, shape, lo, hi, macs, fields."""
    return [
        {
            "name": op.name,
            "kind": op.kind,
            "inputs": list(op.inputs),
            "type": graph.values[op.name].type.name,
            "shape": list(graph.values[op.name].shape),
            "lo": graph.values[op.name].lo,
            "hi": graph.values[op.name].hi,
            "macs": op.macs(graph.ins(op)),
            "fields": {
                name: _plain(getattr(op, name))
                for name in op.__struct_fields__
                if name not in ("name", "inputs")
            },
        }
        for op in graph.ops
    ]


def weight_bits(graph: Graph) -> int:
    """Bits of all weight codes in their packed form."""
    return sum(
        int(getattr(op, field).size) * parse(getattr(op, type_field)).planes
        for op in graph.ops
        for field, type_field in op.packed.items()
    )


def _value(value: Value) -> str:
    shape = "x".join(map(str, value.shape))
    return f"{value.name}: {value.type}[{shape}] in [{value.lo}, {value.hi}]"


def _field(op: Op, name: str) -> str:
    content = getattr(op, name)
    if not isinstance(content, np.ndarray):
        return f"{name}={content}"
    shape = "x".join(map(str, content.shape))
    if name in op.packed:
        zeros = float(np.mean(content == 0))
        return f"{name}[{shape}]" + (f" {zeros:.0%} zeros" if zeros else "")
    if content.size and np.all(content == content.flat[0]):
        return f"{name}[{shape}]={content.flat[0]}"
    return f"{name}[{shape}] {content.min()}..{content.max()}"


def _plain(content: Any) -> Any:
    if isinstance(content, np.ndarray):
        return {"shape": list(content.shape), "min": int(content.min()), "max": int(content.max())}
    return list(content) if isinstance(content, tuple) else content
