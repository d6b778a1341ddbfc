"""The C files of a model for a core or a board, what they will need, and whether it is there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.boards import Board
from edgeternary.c.plan import Plan, Step
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.ir import Graph, Value

Files = dict[str, bytes | str]
Parts = tuple[Files, dict[str, Any], dict[str, Any], list[dict[str, Any]]]


def make(
    graph: Graph,
    core: str,
    board: Board | None,
    build: bool,
    progress: Callable[[str], None],
    compiler: str = "auto",
    optimize: str = "2",
) -> Parts:
    """Files, estimates, measured figures, layers. EdgeTernaryError (code 5) when the board is too small."""
    progress("choosing kernels")
    plan = select(graph, core)
    files: Files = dict(render_plan(plan))
    found = estimates(plan)
    layers: list[dict[str, Any]] = [dict(row) for row in plan.summary()]
    if board:
        check_fits(plan, found["table_bytes"], found["static_ram_bytes"], board)
    measured: dict[str, Any] = {}
    if build:
        measured = _measure(graph, core, progress, compiler, optimize)
        if board and measured.get("ram_bytes"):
            check_fits(plan, measured["flash_bytes"], measured["ram_bytes"], board)
        progress(f"compiling for {core}")
        files.update(objects(files, core, compiler, optimize))
    return files, found, measured, layers


def estimates(plan: Plan) -> dict[str, Any]:
    """What the plan says, in bytes and cycles of the cost model.

    table_bytes       weights, thresholds and other constants; the code comes on top
    static_ram_bytes  arena, states, input and output; the stack comes on top
    """
    graph = plan.graph
    outside = [graph.input, graph.output_value]
    return {
        "table_bytes": sum(step.table_bytes for step in plan.calls),
        "static_ram_bytes": plan.arena + plan.state_bytes + sum(map(_bytes, outside)),
        "arena_bytes": plan.arena,
        "estimated_cycles": round(sum(step.offer.cost.cycles for step in plan.calls)),
        "macs": graph.macs(),
    }


def check_fits(plan: Plan, flash: int, ram: int, board: Board) -> None:
    """Refuse a model that the board has no room for, with the layer and the tensor that need it."""
    flash_there, ram_there = board.memory()
    what = f"{board.title} has"
    if ram > ram_there.bytes:
        peak = max(plan.calls, key=_working_set)
        buffers = {buffer for step in plan.calls for buffer in (*step.ins, step.out)}
        largest = max(buffers, key=lambda buffer: (buffer.bytes, buffer.value.name))
        name, shape = largest.value.name, "x".join(map(str, largest.value.shape))
        tensor = "the input" if name == plan.graph.input.name else f"the output of {name}"
        raise EdgeTernaryError(
            f"{peak.layer} does not fit: needs {ram:,} bytes of RAM, {what} {ram_there.bytes:,}",
            f"the largest tensor is {tensor} ({shape}, {largest.bytes:,} bytes)",
            f"a board with more RAM: edgeternary boards --min-ram {_k(ram)}",
            DOES_NOT_FIT,
        )
    if flash > flash_there.bytes:
        layer = max(plan.calls, key=lambda step: step.table_bytes)
        raise EdgeTernaryError(
            f"{plan.graph.name} does not fit: needs {flash:,} bytes of flash, {what} {flash_there.bytes:,}",
            f"the largest layer is {layer.layer} ({layer.table_bytes:,} bytes of constants)",
            f"a board with more flash: edgeternary boards --min-flash {_k(flash)}",
            DOES_NOT_FIT,
        )


def _working_set(step: Step) -> int:
    """Bytes that a step reads, writes and scratches on."""
    return step.offer.scratch + sum(buffer.bytes for buffer in {*step.ins, step.out})


def objects(files: Files, core: str, compiler: str = "auto", optimize: str = "2") -> Files:
    """Each `.c` of `files`, compiled for `core`: {name.o: content}."""
    from edgeternary.toolchains import cache, compilers, process

    if core == "host":
        chosen = compilers.for_host(compiler, optimize)
    else:
        chosen = compilers.for_core(core, compiler, optimize)
    made: Files = {}
    env = cache.zig_environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_text(str(content), encoding="utf-8")
        for file in sorted(files):
            if file.endswith(".c"):
                target = f"{file[:-2]}.o"
                command = [*chosen.command, *chosen.compile, "-c", file, "-o", target]
                process.run(command, what=f"compiling {file} with {chosen}", cwd=folder, env=env)
                made[target] = (folder / target).read_bytes()
    return made


def _measure(
    graph: Graph, core: str, progress: Callable[[str], None], compiler: str, optimize: str
) -> dict[str, Any]:
    """Figures of one inference on random codes, from the executor of the core."""
    from edgeternary.run import run

    if core == "host":
        return {}
    progress(f"measuring on an emulated {core}")
    x = graph.input
    shape = (1, 1, *x.shape) if graph.states else (1, *x.shape)
    codes = np.random.default_rng(0).integers(x.lo, x.hi + 1, shape, dtype=np.int32)
    if x.type.name == "bipolar":
        codes = np.where(codes > 0, x.hi, x.lo).astype(np.int32)
    options = {"compiler": compiler, "optimize": optimize}
    return dict(run(graph, codes, on=core, options=options).stats)


def _bytes(value: Value) -> int:
    return value.size * value.type.dtype.itemsize


def _k(size: int) -> str:
    return f"{-(-size // 1024)}k"
