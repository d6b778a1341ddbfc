"""The rows of the report: layers, the steps of the generated C, and the candidates of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from edgeternary.build.c_project import flash_of_calls
from edgeternary.build.project import Project
from edgeternary.c.explain import TooLong
from edgeternary.c.plan import Plan
from edgeternary.ir import Graph
from edgeternary.report.summary import layer_rows, owner

Row = dict[str, Any]
STATIC = (
    "name", "kind", "shape", "weights_bits", "activations_bits", "weights", "zeros", "macs", "packed_bytes"
)  # fmt: skip
SUMMED = ("luts", "ffs", "ram_blocks")


def layers(graph: Graph, project: Project, heads: Mapping[str, str], called: Sequence[Row]) -> list[Row]:
    """A row for each layer (with the ops that follow it), in the words of `summary`. called: see `steps`

    ops      kinds of its ops
    inputs   the layers, inputs and states that it reads
    outputs  name, shape and type of what leaves it
    C        kernels, estimated_cycles, cycles (counted; None), estimated_flash_bytes of its steps
    FPGA     pe, simd, luts, ffs, ram_blocks (estimated) of its parts, cycles a frame of its busiest part
    """
    found = []
    for name, row in layer_rows(graph).items():
        ops = [op for op in graph.ops if heads[op.name] == name]
        inside = {op.name for op in ops}
        read = dict.fromkeys(heads.get(i, i) for op in ops for i in op.inputs if i not in inside)
        outs = {o for o in inside if any(reader.name not in inside for reader in graph.consumers(o))}
        values = [graph.values[op.name] for op in ops if op.name in outs | graph.shown]
        found.append(
            {
                **{word: row[word] for word in STATIC},
                "ops": [op.kind for op in ops],
                "inputs": list(read),
                "outputs": [{"name": v.name, "shape": list(v.shape), "type": v.type.name} for v in values],
                **(_c(called, name) if project.plan else _fpga(project.layers, name, heads)),
            }
        )
    return found


def _c(called: Sequence[Row], name: str) -> Row:
    rows = [r for r in called if r["layer"] == name]
    counts = [r["cycles"] for r in rows if r.get("cycles") is not None]
    return {
        "kernels": [r["kernel"] for r in rows],
        "estimated_cycles": sum(r["estimated_cycles"] for r in rows),
        "cycles": sum(counts) if counts else None,
        "estimated_flash_bytes": sum(r["estimated_flash_bytes"] for r in rows),
    }


def _fpga(parts: Sequence[Row], name: str, heads: Mapping[str, str]) -> Row:
    own = [part for part in parts if heads.get(part["name"]) == name]
    folds = next(({"pe": p["pe"], "simd": p["simd"]} for p in own if "pe" in p), {"pe": None, "simd": None})
    sums = {word: sum(part[word] for part in own) for word in SUMMED}
    return {**folds, **sums, "cycles": max((part.get("cycles", 0) for part in own), default=0)}


def steps(plan: Plan, rows: Sequence[Row], graph: Graph, heads: Mapping[str, str]) -> list[Row]:
    """The rows of the plan with the layer that each counts for, its estimated flash and its shape."""
    return [
        {**row, "layer": owner(graph, heads, step), "estimated_flash_bytes": flash}
        for row, step, flash in zip(rows, plan.calls, flash_of_calls(plan), strict=True)
    ]


def candidates(project: Project, heads: Mapping[str, str], most: float) -> list[Row] | None:
    """Why each kernel was chosen; [] without C, None where that takes more than `most` moves."""
    if project.explain is None:
        return []
    try:
        found = project.explain(most)
    except TooLong:
        return None
    return [{**asdict(row), "layer": heads.get(row.layer, row.layer), "op": row.layer} for row in found]
