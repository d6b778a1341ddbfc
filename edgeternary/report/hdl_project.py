"""The Verilog of a model for an FPGA, what it needs after synthesis, and whether the board has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeternary.boards import Board
from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError
from edgeternary.ir import Graph

DEVICES = ("ice40", "ecp5")

Parts = tuple[dict[str, bytes | str], dict[str, Any], dict[str, Any], list[dict[str, Any]]]


def make(
    graph: Graph,
    device: str,
    board: Board | None,
    build: bool,
    progress: Callable[[str], None],
    yosys: str = "auto",
) -> Parts:
    """Files, estimates, measured figures and layers. EdgeTernaryError (code 5) when the FPGA is too small."""
    if device not in DEVICES:
        raise EdgeTernaryError(
            f"no synthesis for {device!r}",
            f"known devices are {', '.join(DEVICES)}",
            "choose one of them",
            USAGE,
        )
    from edgeternary.hdl import verilog
    from edgeternary.hdl.folding import Folding, fold

    progress("writing Verilog")
    folding: Folding = fold(graph)
    files: dict[str, bytes | str] = dict(verilog(graph, folding, yosys))
    layers = folds(graph, folding)
    slowest = max((row["estimated_cycles"] for row in layers), default=0)
    estimates: dict[str, Any] = {"macs": graph.macs(), "slowest_layer_cycles": slowest}
    measured: dict[str, Any] = {}
    if build:
        from edgeternary.hdl.build import statistics

        progress(f"synthesising for {device}")
        measured = dict(statistics(graph, device=device, tool=yosys))
        if board:
            check_fits(graph, measured, board)
    return files, estimates, measured, layers


def folds(graph: Graph, folding: Any) -> list[dict[str, Any]]:
    """How each matrix layer is folded: PE rows times SIMD columns a cycle, and its cycles a frame."""
    from edgeternary.hdl.folding import matrix

    found = []
    for op in graph.ops:
        shape = matrix(op, graph.ins(op)[0], graph.values[op.name])
        fold = folding.folds.get(op.name)
        if shape and fold:
            cycles = shape.cycles(fold.pe, fold.simd)
            found.append(
                {
                    "name": op.name,
                    "ops": op.kind,
                    "pe": fold.pe,
                    "simd": fold.simd,
                    "estimated_cycles": cycles,
                }
            )
    return found


def check_fits(graph: Graph, figures: dict[str, Any], board: Board) -> None:
    """Refuse a design that needs more LUTs or block RAMs than the board's FPGA has."""
    fpga = board.fpga
    if fpga is None:
        return
    for word, there, text in (("luts", fpga.luts, "LUTs"), ("ram_blocks", fpga.ram_blocks, "block RAMs")):
        needed = figures.get(word)
        if needed is not None and needed > there:
            raise EdgeTernaryError(
                f"{graph.name} does not fit: needs {needed:,} {text}, {board.title} has {there:,}",
                f"counted after synthesis for {fpga.family}",
                f"a board with more: edgeternary boards --min-luts {figures.get('luts', 0)}",
                DOES_NOT_FIT,
            )
