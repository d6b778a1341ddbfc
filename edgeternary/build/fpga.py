"""The design of a model for an FPGA: planned and estimated, built where that is asked for, and written."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgeternary.boards import Board
from edgeternary.build.fpga_figures import LINK, estimated, with_link
from edgeternary.build.fpga_flow import built, probe
from edgeternary.build.fpga_goals import within_luts
from edgeternary.build.made import Files, Made
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.toolchains import require


def make(
    graph: Graph,
    device: str,
    board: Board | None,
    build: bool,
    progress: Callable[[str], None],
    yosys: str = "auto",
    constraints: Constraints = NO_CONSTRAINTS,
) -> Made:
    """A design for `device`, a part or a family of hdl.devices, or for the FPGA of a board.

    A board that amaranth-boards knows gets a whole design with its serial link: top.v and pin constraints.
    Anything else is the core alone, with wrappers and benches. With `build` a board or a part gets a
    bitstream; a family, which names no part, is synthesised only. EdgeTernaryError (code 5) when the FPGA is
    too small or a constraint is out of reach.
    """
    require("amaranth")
    from edgeternary.build import fpga_chip
    from edgeternary.hdl import hints

    _refuse(device, board, build, constraints)
    platform = board if board and board.fpga and board.fpga.platform else None
    asked = _for_board(platform, constraints) if platform else replace(constraints, device=device)
    progress("planning")
    design = hints.design(graph, asked)
    if build and not platform:
        require("zig")  # of the simulator, which comes after minutes of synthesis
        design = within_luts(graph, design, asked, progress, yosys)
    estimates, layers = estimated(graph, design, asked)
    files: Files = {}
    measured: dict[str, Any] = {}
    if platform:
        progress(f"writing the top of {platform.title}")
        top, files = _top(graph, design, platform)
        estimates, layers = with_link(estimates, layers, design, platform)
        estimates["digest"] = top.digest
    if build:
        chip = fpga_chip.on_board(graph, top) if platform else fpga_chip.core(graph, design, asked, board)
        made, measured = built(chip, asked, progress, yosys)
        measured |= {"predicted_luts": estimates["luts"], "predicted_cycles": estimates["cycles"]}
        files |= made
    if not platform:
        progress("writing Verilog")
        files |= written(graph, design, asked, probe(graph), estimates, measured)
    image = {}
    if platform and "bitstream" in measured:
        image = {"digest": estimates["digest"], "image": measured["bitstream"]}
    return Made(files, estimates, measured, layers, image)


def sources(
    graph: Graph, device: str, constraints: Constraints, inputs: np.ndarray
) -> tuple[Files, dict[str, Any], list[dict[str, Any]]]:
    """What `make` gives without a build: files, estimates, layers; `inputs` are those of the benches.

    device  "" for a design that no FPGA was named for, with the default folding and no estimates
    """
    require("amaranth")
    design, asked = planned(graph, device, constraints)
    estimates, layers = estimated(graph, design, asked) if device else ({}, [])
    return written(graph, design, asked, inputs, estimates, {}), estimates, layers


def planned(graph: Graph, device: str, constraints: Constraints) -> tuple[Any, Constraints]:
    """The design (hdl.top.Design) for a part or family, and the constraints that it was planned for."""
    from edgeternary.hdl import hints

    asked = replace(constraints, device=device)
    return hints.design(graph, asked), asked


def written(
    graph: Graph,
    design: Any,
    asked: Constraints,
    inputs: np.ndarray,
    estimates: dict[str, Any],
    measured: dict[str, Any],
) -> Files:
    """The files of a core: see build.fpga_files. Of several inputs or outputs its Verilog alone: wrappers and
    benches have one stream in and one out."""
    from edgeternary.build.fpga_files import texts_of
    from edgeternary.run import run

    if graph.several:
        from edgeternary.hdl.emit import design_verilog

        text = {f"{identifier(graph.name)}.v": design_verilog(design)}
        return {**text, **({"weights.bin": design.weights} if design.weights else {})}
    outputs = run(graph, inputs, on="numpy").outputs
    figures = {"estimates": estimates, "measured": measured}
    files: Files = dict(texts_of(design, inputs, outputs, device=asked.device, clock=asked.clock, **figures))
    return files | ({"weights.bin": design.weights} if design.weights else {})


def _refuse(device: str, board: Board | None, build: bool, constraints: Constraints) -> None:
    """EdgeTernaryError (code 2) for constraints that mean nothing on this target."""
    from edgeternary.hdl import devices

    if board and constraints.embedded:
        raise EdgeTernaryError(
            f"{board.name} takes no embedded core",
            "on a board the network is a whole design, whose ports are the serial port's",
            f"device={device!r} in place of the board, or leave embedded out",
            USAGE,
        )
    devices.family(device)
    part = devices.PARTS.get(board.fpga.device if board and board.fpga else device)
    if constraints.seeds and not (build and part and part.place):
        raise EdgeTernaryError(
            "seeds are of no use here",
            "only place and route takes seeds, and it is part of a build for one FPGA",
            "--build with --device up5k, or leave out the seeds",
            USAGE,
        )


def _for_board(board: Board, constraints: Constraints) -> Constraints:
    """What is asked of the core: the clock is the board's, and the link takes its share of the FPGA."""
    from edgeternary.hdl.devices import family

    fpga = board.fpga
    assert fpga
    return replace(
        constraints,
        device=fpga.device,
        clock=board.clock_hz / 1e6,
        blocks=fpga.ram_blocks - LINK["ram_blocks"],
        taken=round(LINK["luts"] + family(fpga.device).alone * LINK["ffs"]),
        single_port_rams=-1 if fpga.flash else 0,
        bytewise=True,
    )


def _top(graph: Graph, design: Any, board: Board) -> tuple[Any, Files]:
    """The design with its link (hdl.board_top.BoardDesign), and its sources."""
    from edgeternary.hdl.board_top import PINS, board_design
    from edgeternary.hdl.emit import as_verilog

    assert board.fpga and board.uart
    top = board_design(design, board)
    title = (
        f"Model {graph.name} on {board.title}: serial port of {board.uart.baud:,} baud, build {top.digest}."
    )
    files: Files = {"top.v": as_verilog(top.rtlil, title), PINS[board.fpga.family]: top.pins}
    if design.weights:
        files["weights.bin"] = design.weights
    return top, files
