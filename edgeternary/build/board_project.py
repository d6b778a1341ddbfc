"""The bitstream of a model on an FPGA board, and what it took."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edgeternary.boards import Board
from edgeternary.build import hdl_project
from edgeternary.build.hdl_project import Parts
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph

LINK: dict[str, Any] = {
    "name": "link",
    "ops": "uart",
    "luts": 600,
    "ffs": 340,
    "ram_blocks": 3,
}  # measured, docs/protocol.md


def make(
    graph: Graph,
    board: Board,
    build: bool,
    progress: Callable[[str], None],
    yosys: str,
    constraints: Constraints,
) -> Parts:
    """Files (top.v, pin constraints, with `build` the bitstream), estimates, measured figures, layers.

    The clock is the board's. EdgeTernaryError: code 5 where the FPGA is too small, too slow for the clock, or
    a constraint is out of reach.
    """
    from edgeternary.hdl import estimate
    from edgeternary.hdl.board_top import PINS, board_design
    from edgeternary.hdl.devices import family
    from edgeternary.hdl.emit import as_verilog
    from edgeternary.hdl.loading import start_up_ms

    assert board.fpga and board.uart
    progress("planning")
    clock = board.clock_hz / 1e6
    design = _planned(graph, board, constraints)
    rows = estimate.by_part(design, board.fpga.device, board.fpga.ram_blocks - LINK["ram_blocks"])
    progress(f"writing the top of {board.title}")
    top = board_design(design, board)
    title = (
        f"Model {graph.name} on {board.title}: serial port of {board.uart.baud:,} baud, build {top.digest}."
    )
    files: dict[str, bytes | str] = {
        "top.v": as_verilog(top.rtlil, title),
        PINS[board.fpga.family]: top.pins,
    }
    estimates = hdl_project.totals(design, rows, clock)
    estimates |= {word: estimates[word] + LINK[word] for word in ("luts", "ffs", "ram_blocks")}
    if alone := family(board.fpga.device).alone:
        estimates["logic_cells"] = round(estimates["luts"] + alone * estimates["ffs"])
    if design.weights:
        files["weights.bin"] = design.weights
        estimates["start_up_ms"] = start_up_ms(design, board.clock_hz)
    estimates |= {"baud": board.uart.baud, "digest": top.digest}
    measured: dict[str, Any] = {}
    if build:
        made, measured = _bitstream(graph, board, top, progress, yosys, constraints.seeds)
        measured |= {"predicted_luts": estimates["luts"], "predicted_cycles": estimates["cycles"]}
        files |= made
    return files, estimates, measured, [*hdl_project.layer_rows(graph, design, rows), dict(LINK)]


def _planned(graph: Graph, board: Board, constraints: Constraints) -> Any:
    """The design for what the link leaves of the board's FPGA."""
    from edgeternary.hdl import plan
    from edgeternary.hdl.devices import family

    fpga = board.fpga
    assert fpga
    asked = replace(
        constraints,
        device=fpga.device,
        clock=board.clock_hz / 1e6,
        blocks=fpga.ram_blocks - LINK["ram_blocks"],
        taken=round(LINK["luts"] + family(fpga.device).alone * LINK["ffs"]),
        single_port_rams=-1 if fpga.flash else 0,
        bytewise=True,
    )
    return plan.design(graph, asked)


def _bitstream(
    graph: Graph, board: Board, top: Any, progress: Callable[[str], None], yosys: str, seeds: int
) -> tuple[dict[str, bytes | str], dict[str, Any]]:
    """The bitstream and its figures. With `seeds` 0 more seeds are tried while the clock is missed.

    Of a part without an open place and route there is no bitstream, and the figures are those of synthesis.
    """
    from edgeternary.hdl import place
    from edgeternary.hdl.board_top import TOP
    from edgeternary.hdl.build import refuse_multipliers, synthesise
    from edgeternary.hdl.loading import image

    place.need(top.part)  # synthesis may take minutes
    progress(f"synthesising for {top.part.name}")
    text = re.sub(r"^ *parameter \\SIM_DEVICE .*\n", "", top.rtlil, flags=re.M)  # which yosys 0.52 lacks
    figures, folder = synthesise(text, TOP, top.part.name, yosys)
    refuse_multipliers(graph.name, figures)
    hdl_project.check_fits(graph, figures, board)
    if not top.part.place:
        return {}, figures
    clock = board.clock_hz / 1e6
    found: list[place.Placed] = []
    for count in [seeds] if seeds else range(1, place.seeds(int(figures["luts"])) + 1):
        found = place.place(
            folder / "netlist.json", top.part, count, name=graph.name, pins=top.pins, progress=progress
        )
        if place.best(found).fmax_mhz >= clock:
            break
    best = place.best(found)
    if best.fmax_mhz < clock:
        slow = ", ".join(f"{where} ({ns:.1f} ns)" for where, ns in best.critical_path[:4])
        raise EdgeTernaryError(
            f"{graph.name} is too slow for {board.title}",
            f"the best of {len(found)} seeds reaches {best.fmax_mhz:.1f} MHz, the clock has {clock:.1f}; "
            f"the slowest path: {slow}",
            "a board with a slower clock or a faster part: edgeternary boards --kind fpga",
            DOES_NOT_FIT,
        )
    bitstream = place.pack(best, top.part)
    if top.design.weights:
        bitstream = image(bitstream, top.design.weights)
    name = place.PLACERS[top.part.family].bitstream
    return {name: bitstream}, {
        **figures,
        "clock_mhz": clock,
        "logic_cells": best.logic_cells,
        "fmax_mhz": best.fmax_mhz,
        "fmax_spread": place.spread(found),
        "seeds": len(found),
        "seed": best.seed,
        "critical_path": [f"{top.design.layers.get(w, w)} {ns:.2f} ns" for w, ns in best.critical_path],
        "bitstream": name,
        "sha256": hashlib.sha256(bitstream).hexdigest(),
        "nextpnr": place.version(top.part),
    }
