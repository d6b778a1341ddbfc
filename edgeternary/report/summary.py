"""A network layer by layer: bits, weights, MACs, and what it will cost, before anything is compiled.

Cycles and RAM are the estimates by which the C planner chooses kernels; LUTs are hdl.estimate's. Flash is
that of the model as it is built for the first core; an estimate too where no compiler is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgeternary.build.c_project import estimates
from edgeternary.c.plan import Plan, Step
from edgeternary.c.select import select
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Op, parse
from edgeternary.ops.sizes import other_bytes, packed_bytes, sizes

CORES = ("cortex-m4", "cortex-m0plus")
TAILS = ("threshold", "requantize", "lookup", "reshape")  # ops that are told with the layer that they follow
Row = dict[str, Any]


def summary(graph: Graph, cores: Sequence[str] = CORES) -> dict[str, Any]:
    """{"name", "cores", "layers", "total", "notes"} of a graph, trained or not.

    layers: one row for each layer (with the batch-norm and activation after it):
        name, kind, shape       of the output, channels last
        weights_bits            1 binary, 2 ternary, k for k-bit weights
        activations_bits        of the codes that leave the layer; None for 32-bit accumulators
        weights, zeros, macs    zeros: share of zero weights, of random ones before training
        packed_bytes            weights as bit planes;  constant_bytes: thresholds and biases too
        table_bytes, code_bytes constants and code of the kernels chosen for cores[0]; flash_bytes: both
        ram_bytes               its output and scratch memory on cores[0]
        cycles                  {core: estimated cycles}
        luts, fpga_cycles       estimated LUTs, cycles a frame of its matrix; None where no hardware is built
    total: the same words as sums, but for ram_bytes, the planned arena with input and output, for
    fpga_cycles, those of the slowest layer, and for flash_bytes, which routine_bytes are part of: those of
    routines that layers share, of run and reset.
    notes: why a figure is missing.
    """
    heads = layer_of(graph)
    rows = layer_rows(graph)
    total: Row = {"name": "total", **{key: sizes(graph)[key] for key in KEYS}, "cycles": {}}
    notes: list[str] = []
    for core in cores:
        plan = select(graph, core)
        for step in plan.calls:
            row = rows[owner(graph, heads, step)]
            row["cycles"][core] = row["cycles"].get(core, 0) + round(step.offer.cost.cycles)
            if core == cores[0]:
                row["ram_bytes"] += step.out.bytes + step.offer.scratch
        total["cycles"][core] = sum(row["cycles"].get(core, 0) for row in rows.values())
        if core == cores[0]:
            total |= _memory(plan)
            _flash(plan, [rows[owner(graph, heads, step)] for step in plan.calls], total, notes)
    _hardware(graph, heads, rows, total, notes)
    return {
        "name": graph.name,
        "cores": list(cores),
        "layers": list(rows.values()),
        "total": total,
        "notes": notes,
    }


KEYS = ("weights", "macs", "packed_bytes", "constant_bytes")


def layer_of(graph: Graph) -> dict[str, str]:
    """Op name -> name of the op that heads its layer: a tail belongs to the op that it reads."""
    heads: dict[str, str] = {}
    for op in graph.ops:
        follows = op.kind in TAILS and op.inputs[0] in heads
        heads[op.name] = heads[op.inputs[0]] if follows else op.name
    return heads


def layer_rows(graph: Graph) -> dict[str, Row]:
    """A row for each layer by name; what depends on a core or a design is 0, {} or None."""
    heads = layer_of(graph)
    parts: dict[str, list[Op]] = {}
    for op in graph.ops:
        parts.setdefault(heads[op.name], []).append(op)
    return {head: _layer(graph, head, ops) for head, ops in parts.items()}


def _layer(graph: Graph, head: str, ops: Sequence[Op]) -> Row:
    first, last = ops[0], graph.values[ops[-1].name]
    codes = [getattr(first, field) for field in first.packed]
    bits = [parse(getattr(first, type)).planes for type in first.packed.values()]
    count = sum(int(c.size) for c in codes)
    return {
        "name": head,
        "kind": first.kind,
        "shape": list(last.shape),
        "weights_bits": max(bits, default=None),
        "activations_bits": None if last.type.name == "int32" else last.type.planes,
        "weights": count,
        "zeros": sum(int(np.count_nonzero(c == 0)) for c in codes) / count if count else None,
        "macs": sum(op.macs(graph.ins(op)) for op in ops),
        "packed_bytes": sum(map(packed_bytes, ops)),
        "constant_bytes": sum(packed_bytes(op) + other_bytes(op) for op in ops),
        "table_bytes": 0,
        "code_bytes": 0,
        "flash_bytes": 0,
        "ram_bytes": 0,
        "cycles": {},
        "luts": None,
        "fpga_cycles": None,
    }


def owner(graph: Graph, heads: Mapping[str, str], step: Step) -> str:
    """The layer that a step counts for; a conversion of the input counts for its first reader."""
    name = step.ops[0].name if step.ops else step.out.value.name
    return heads[name] if name in heads else heads[graph.consumers(name)[0].name]


def _memory(plan: Plan) -> Row:
    found = estimates(plan)
    return {"ram_bytes": found["static_ram_bytes"], "flash_bytes": found["estimated_flash_bytes"]}


def _flash(plan: Plan, owners: Sequence[Row], total: Row, notes: list[str]) -> None:
    """Fills table_bytes and code_bytes: of the built model, of estimates where nothing can build it."""
    core = plan.core.name
    code = [max(s.offer.cost.flash - own, 0) for s, own in zip(plan.calls, plan.tables, strict=True)]
    routines = 0
    try:
        if plan.core.native:
            raise EdgeTernaryError("code for this machine is not measured")
        from edgeternary.run.cortex_m import parts_of

        built = parts_of(plan)
        code, total["flash_bytes"] = list(built.kernels), built.flash_bytes
        routines = built.flash_bytes - sum(plan.tables) - built.kernel_bytes
        shared = f"{built.routine_bytes:,} bytes are routines that layers share, run and reset"
        notes.append(f"flash on {core}: built; {shared}")
    except ImportError as error:
        notes.append(f"flash on {core}: estimated, {error}")
    except EdgeTernaryError as error:
        notes.append(f"flash on {core}: estimated, {error.what}")
    for row, own, size in zip(owners, plan.tables, code, strict=True):
        row["table_bytes"] += own
        row["code_bytes"] += size
        row["flash_bytes"] += own + size
    once = {id(row): row for row in owners}.values()
    total |= {word: sum(row[word] for row in once) for word in ("table_bytes", "code_bytes")}
    total["routine_bytes"] = routines


def _hardware(
    graph: Graph, heads: dict[str, str], rows: dict[str, Row], total: Row, notes: list[str]
) -> None:
    """Fills luts and fpga_cycles; a graph that has no hardware is noted."""
    try:
        from edgeternary.hdl import estimate, limits
        from edgeternary.hdl.folding import fold, matrices
        from edgeternary.hdl.passes import prepared
    except ImportError:
        notes.append("no LUTs: amaranth is not installed (pip install 'edgeternary[fpga]')")
        return
    try:
        limits.check(graph)
    except EdgeTernaryError as error:
        notes.append(f"no LUTs: {error.what}: {error.why}")
        return
    folding = fold(graph)
    shapes = matrices(prepared(graph, folding.padded))
    for name, luts in estimate.luts(graph, folding).items():
        row = rows[heads[name]]
        row["luts"] = (row["luts"] or 0) + luts
        shape, chosen = shapes.get(name), folding.folds.get(name)
        if shape and chosen:
            row["fpga_cycles"] = shape.cycles(chosen.pe, chosen.simd)
    total["luts"] = sum(row["luts"] or 0 for row in rows.values())
    total["fpga_cycles"] = max((row["fpga_cycles"] or 0 for row in rows.values()), default=0)
