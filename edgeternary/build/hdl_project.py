"""The Verilog of a model for an FPGA, what it needs after synthesis, and whether the board has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgeternary.boards import Board
from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError
from edgeternary.hdl.constraints import NO_CONSTRAINTS, Constraints
from edgeternary.ir import Graph
from edgeternary.ops.build import samples
from edgeternary.toolchains import require

Parts = tuple[dict[str, bytes | str], dict[str, Any], dict[str, Any], list[dict[str, Any]]]
FRAMES = 4  # simulated back to back, for the cycles a frame and the latency
PROBE = 17  # seed of the frames


def make(
    graph: Graph,
    device: str,
    board: Board | None,
    build: bool,
    progress: Callable[[str], None],
    yosys: str = "auto",
    constraints: Constraints = NO_CONSTRAINTS,
) -> Parts:
    """Files, estimates, measured figures and layers of a design for `device`, a part or a family of
    hdl.devices. EdgeTernaryError (code 5) when the FPGA is too small or a constraint is out of reach.

    With `build` a part gets a bitstream; a family, which names no part, is synthesised only.
    """
    if board and constraints.embedded:
        raise EdgeTernaryError(
            f"{board.name} takes no embedded core",
            "on a board the network is a whole design, whose ports are the serial port's",
            f"device={device!r} in place of the board, or leave embedded out",
            USAGE,
        )
    if board and board.fpga and board.fpga.platform:
        from edgeternary.build import board_project

        return board_project.make(graph, board, build, progress, yosys, constraints)
    from edgeternary.build import hdl_build
    from edgeternary.hdl import devices

    require("amaranth")
    devices.family(device)
    if constraints.seeds and not (build and device in devices.PARTS and devices.PARTS[device].place):
        raise EdgeTernaryError(
            "seeds are of no use here",
            "only place and route takes seeds, and it is part of a build for one FPGA",
            "--build with --device up5k, or leave out the seeds",
            USAGE,
        )
    if build:
        require("zig")  # of the simulator, which comes after minutes of synthesis
    progress("planning")
    design, asked = planned(graph, device, constraints)
    if build:
        design = hdl_build.within_luts(graph, design, asked, progress, yosys)
    estimates, layers = estimated(graph, design, device, constraints)
    files: dict[str, bytes | str] = {}
    measured: dict[str, Any] = {}
    if build:
        bitstream, measured = hdl_build.built(graph, design, asked, progress, yosys, constraints.seeds)
        measured |= {"predicted_luts": estimates["luts"], "predicted_cycles": estimates["cycles"]}
        files |= bitstream
        if board:
            check_fits(graph, measured, board)
    progress("writing Verilog")
    files |= written(graph, design, device, constraints, probe(graph), estimates, measured)
    return files, estimates, measured, layers


def sources(
    graph: Graph, device: str, constraints: Constraints, inputs: np.ndarray
) -> tuple[dict[str, bytes | str], dict[str, Any], list[dict[str, Any]]]:
    """What `make` gives without a build: files, estimates, layers; `inputs` are those of the benches.

    device  "" for a design that no FPGA was named for, with the default folding and no estimates
    """
    require("amaranth")
    design, _ = planned(graph, device, constraints)
    estimates, layers = estimated(graph, design, device, constraints) if device else ({}, [])
    return written(graph, design, device, constraints, inputs, estimates, {}), estimates, layers


def planned(graph: Graph, device: str, constraints: Constraints) -> tuple[Any, Any]:
    """The design (hdl.top.Design), and what was asked as hdl.constraints."""
    from edgeternary.hdl import plan

    asked = replace(constraints, device=device)
    return plan.design(graph, asked), asked


def estimated(
    graph: Graph, design: Any, device: str, constraints: Constraints
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Totals and layers of a design before any tool runs."""
    from edgeternary.hdl import devices, estimate

    part = devices.PARTS.get(device)
    rows = estimate.by_part(design, device, part.ram_blocks if part else None)
    clock = (constraints.clock or part.clock) if part else 0
    return totals(design, rows, clock), layer_rows(graph, design, rows)


def written(
    graph: Graph,
    design: Any,
    device: str,
    constraints: Constraints,
    inputs: np.ndarray,
    estimates: dict[str, Any],
    measured: dict[str, Any],
) -> dict[str, bytes | str]:
    """The files of a design: see hdl.project."""
    from edgeternary.hdl.project import project
    from edgeternary.run import run

    outputs = run(graph, inputs, on="numpy").outputs
    files: dict[str, bytes | str] = dict(
        project(
            design,
            inputs,
            outputs,
            device=device,
            clock=constraints.clock,
            estimates=estimates,
            measured=measured,
        )
    )
    return files | ({"weights.bin": design.weights} if design.weights else {})


def totals(design: Any, rows: dict[str, dict[str, int]], clock: float) -> dict[str, Any]:
    """Totals over the parts; with a clock in MHz also frames a second and latency.

    padded  layers whose rows and columns were padded, for people to read
    """
    words = ("luts", "ffs", "ram_blocks")
    found: dict[str, Any] = {word: sum(row[word] for row in rows.values()) for word in words}
    if any(row["logic_cells"] != row["luts"] for row in rows.values()):
        found["logic_cells"] = sum(row["logic_cells"] for row in rows.values())
    if design.weights:
        found["single_port_rams"] = sum(row.get("single_port_rams", 0) for row in rows.values())
        found["load_bytes"] = len(design.weights)  # a byte a cycle where nothing slower sends them
    found |= {"multipliers": 0, "macs": design.graph.macs(), "cycles": design.cycles}
    found |= {"input_bits_a_cycle": design.i_lanes * design.i_element.width}
    if design.answer and design.answer.beat > 1:
        found["answer_bytes_a_cycle"] = design.answer.beat
    if not design.answer:
        found["output_bits_a_cycle"] = design.o_lanes * design.o_element.width
    if design.padded:
        found["padded"] = list(design.padded)
    if design.stateful:
        found["latency_cycles"] = design.latency
    if clock:
        found |= {"clock_mhz": clock, "frames_per_s": round(1e6 * clock / design.cycles)}
        found |= one_by_one(design, found.get("latency_cycles", 1), clock)
    return found


def one_by_one(design: Any, latency: int, mhz: float) -> dict[str, Any]:
    """Steps a second where each input waits for the answer before it, as that of a language model does."""
    return {"steps_per_s": round(1e6 * mhz / latency)} if design.stateful else {}


def layer_rows(graph: Graph, design: Any, rows: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    """For each layer its fold and, of its parts together, LUTs, flip-flops, block RAMs; cycles a frame."""
    found: dict[str, dict[str, Any]] = {}
    for name, row in rows.items():
        layer = design.layers.get(name, name)
        total = found.setdefault(layer, {"name": layer, "luts": 0, "ffs": 0, "ram_blocks": 0, "cycles": 0})
        for word in ("luts", "ffs", "ram_blocks"):
            total[word] += row[word]
        if rams := row.get("single_port_rams"):
            total["single_port_rams"] = rams
        total["cycles"] = max(total["cycles"], design.busy.get(name, 0))
    kinds = {op.name: op.kind for op in graph.ops} | {s.value.name: "state" for s in graph.states}
    for layer, total in found.items():
        total["ops"] = kinds.get(layer, "input")
        if fold := design.folding.folds.get(layer):
            total |= {"pe": fold.pe, "simd": fold.simd}
    return list(found.values())


def probe(graph: Graph) -> np.ndarray:
    """Random frames, always the same ones; with states two samples of so many steps."""
    rng = np.random.default_rng(PROBE)
    if not graph.states:
        return samples(rng, graph.input, FRAMES)
    return samples(rng, graph.input, 2 * FRAMES).reshape(2, FRAMES, *graph.input.shape)


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
