"""What becomes of a planned design: synthesis, place and route, and whether it keeps what was asked for.

What can be refused is refused as early as it is known: the size after synthesis, the rate after place and
route, and only then is a simulator built.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeternary.build.hdl_project import FRAMES, one_by_one, probe
from edgeternary.errors import DOES_NOT_FIT, NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier

if TYPE_CHECKING:
    from edgeternary.hdl.constraints import Constraints
    from edgeternary.hdl.devices import Part
    from edgeternary.hdl.place import Placed
    from edgeternary.hdl.top import Design

MORE_SEEDS = 5  # beyond those that are placed anyway, while a rate is missed
ATTEMPTS = 4  # designs, each planned with the limit that the figures of the one before leave
MARGIN = 0.97  # of the fmax that was reached: the clock that a next attempt is planned with
Progress = Callable[[str], None]
Files = dict[str, bytes | str]


def built(
    graph: Graph, design: Design, asked: Constraints, progress: Progress, yosys: str, seeds: int
) -> tuple[Files, dict[str, Any]]:
    """Files and figures of a synthesised and, for a part, placed and routed design.

    seeds  of place and route; 0: by size, and up to MORE_SEEDS more while the rate is missed
    EdgeTernaryError (code 5) where the design does not fit, or misses what was asked for; (code 4) where
    it is not exact.
    """
    from edgeternary.hdl import devices, embedded, emit, place
    from edgeternary.hdl.build import refuse_multipliers, synthesise

    part = devices.PARTS.get(asked.device)
    if part is not None:
        place.need(part)  # synthesis may take minutes
    progress(f"synthesising for {asked.device}")
    text = emit.design_rtlil(design)
    shipped = emit.design_verilog(design)
    figures, folder = synthesise(shipped, identifier(graph.name), asked.device, yosys)
    refuse_multipliers(graph.name, figures)
    measured: dict[str, Any] = dict(figures)
    files: Files = {}
    placed: list[Placed] = []
    if part is not None:
        check_size(graph, figures, asked, part)
        if part.place and asked.embedded:
            folder = embedded.synthesised(design, asked.device, yosys)
        if part.place:
            placed = place_for_rate(graph, design, asked, part, folder, int(figures["luts"]), seeds, progress)
    cycles, latency = _simulated(graph, design, text, yosys, progress)
    measured |= {"cycles": cycles, "latency_cycles": latency}
    if part is not None and placed:
        measured |= _routed(design, part, placed, cycles, latency)
        if not asked.embedded:
            files, packed = _packed(part, placed)
            measured |= packed
    return files, measured


def check_size(graph: Graph, figures: dict[str, Any], asked: Constraints, part: Part) -> None:
    """EdgeTernaryError (code 5) where synthesis gives more than the part has, or than was allowed."""
    from edgeternary.hdl import hints

    for word, name, there in (("luts", "LUTs", part.luts), ("ram_blocks", "block RAMs", part.ram_blocks)):
        if figures[word] > there:
            raise EdgeTernaryError(
                f"{graph.name} does not fit {part.title}: synthesis gives {figures[word]:,} {name}, "
                f"it has {there:,}",
                "the estimate was lower",
                hints.larger(graph, asked) or "a network with fewer weights",
                DOES_NOT_FIT,
            )
    if asked.max_luts and figures["luts"] > asked.max_luts:
        raise EdgeTernaryError(
            f"{graph.name} takes more LUTs than --max-luts allows: synthesis gives {figures['luts']:,}, "
            f"{asked.max_luts:,} may be used",
            "the estimate, by which the design was planned, was lower",
            f"--max-luts {figures['luts']}" if asked.fps else "a network with fewer weights",
            DOES_NOT_FIT,
        )


def within_luts(graph: Graph, design: Design, asked: Constraints, progress: Progress, yosys: str) -> Design:
    """The design, or where synthesis gives more LUTs than were allowed, a smaller one, planned with a lower
    limit. At a rate that is given there is none: the plan is the smallest."""
    from edgeternary.hdl import emit, hints
    from edgeternary.hdl.build import synthesise

    if not asked.max_luts or asked.fps or asked.latency:
        return design
    limit = asked.max_luts
    for _ in range(ATTEMPTS):
        progress(f"synthesising for {asked.device}")
        figures, _ = synthesise(emit.design_verilog(design), identifier(graph.name), asked.device, yosys)
        if (luts := int(figures["luts"])) <= asked.max_luts:
            break
        limit = min(limit, _luts(design, asked)) * asked.max_luts // luts
        smaller = hints.possible(graph, replace(asked, max_luts=limit)) if limit else None
        if smaller is None:
            break
        design = smaller
    return design


def _luts(design: Design, asked: Constraints) -> int:
    """What was estimated."""
    from edgeternary.hdl import devices, estimate

    return estimate.total(design, asked.device, devices.PARTS[asked.device].ram_blocks)["luts"]


def place_for_rate(
    graph: Graph,
    design: Design,
    asked: Constraints,
    part: Part,
    folder: Path,
    luts: int,
    seeds: int,
    progress: Progress,
) -> list[Placed]:
    """Placements of a netlist, with more seeds while the best of them is too slow for the rate.

    EdgeTernaryError (code 5), with what was reached, where none is fast enough.
    """
    from edgeternary.hdl import embedded, place

    needed = asked.fps * design.cycles / 1e6  # MHz
    pins = place.free_pins(part, embedded.PORTS if asked.embedded else design.ports)
    first = seeds or place.seeds(luts)
    most = first if seeds or not needed else first + MORE_SEEDS
    found: list[Placed] = []
    for count in range(first, most + 1):
        if count > first:
            progress(f"{place.best(found).fmax_mhz:.1f} MHz of {needed:.1f}: another seed")
        found = place.place(
            folder / "netlist.json", part, count, name=graph.name, pins=pins, progress=progress
        )
        if place.best(found).fmax_mhz >= needed:
            return found
    raise missed(graph, design, asked, part, found, needed)


def missed(
    graph: Graph, design: Design, asked: Constraints, part: Part, found: list[Placed], needed: float
) -> EdgeTernaryError:
    """What to say where place and route does not reach the rate."""
    from edgeternary.hdl import place

    best = place.best(found)
    reached = math.floor(1e6 * best.fmax_mhz / design.cycles)
    slow = ", ".join(f"{design.layers.get(where, where)} {ns:.1f} ns" for where, ns in best.critical_path[:4])
    return EdgeTernaryError(
        f"{graph.name} reaches {reached:,} of {asked.fps:,.0f} frames/s on {part.title}",
        f"the best of {len(found)} seeds has {best.fmax_mhz:g} MHz, and {design.cycles:,} cycles a frame "
        f"need {needed:.2f}" + (f"; the slowest path: {slow}" if slow else ""),
        _faster(graph, design, asked, best.fmax_mhz, reached),
        DOES_NOT_FIT,
    )


def _faster(graph: Graph, design: Design, asked: Constraints, fmax: float, reached: int) -> str:
    """A design of fewer cycles, planned with the clock that was reached; or the rate that was reached, where
    the same design is planned for it."""
    from edgeternary.hdl import hints

    words = []
    clock = math.floor(fmax * MARGIN * 10) / 10
    if clock and not asked.latency and hints.possible(graph, replace(asked, clock=clock)):
        words.append(f"--clock {clock:g}, which plans for fewer cycles")
    same = hints.possible(graph, replace(asked, fps=reached, clock=fmax)) if reached else None
    if same and same.folding.folds == design.folding.folds:
        words.append(f"--fps {reached} --clock {fmax:g}, what this design reached")
    return " or ".join(words) or hints.larger(graph, asked) or "a network with fewer pixels or channels"


def _simulated(graph: Graph, design: Design, text: str, yosys: str, progress: Progress) -> tuple[int, int]:
    """Cycles and latency of frames back to back in CXXRTL, compared with numpy."""
    from edgeternary.run import cxxrtl, run

    progress(f"simulating {FRAMES} frames")
    inputs = probe(graph)
    ran = cxxrtl.simulate(design, "design.il", text, cxxrtl.READ, inputs, {"yosys": yosys})
    if not np.array_equal(ran.outputs, run(graph, inputs, on="numpy").outputs):
        raise EdgeTernaryError(
            f"the hardware of model {graph.name!r} is not exact",
            "random frames in CXXRTL differ from numpy",
            "report this as a bug",
            NOT_BIT_EXACT,
        )
    return int(ran.stats["cycles"] or 0), int(ran.stats["latency"] or 0)


def _packed(part: Part, found: list[Placed]) -> tuple[Files, dict[str, Any]]:
    """The bitstream of the fastest placement, and the figures of a whole design."""
    from edgeternary.hdl import place

    best = place.best(found)
    name = place.PLACERS[part.family].bitstream
    return {name: place.pack(best, part)}, {"logic_cells": best.logic_cells, "bitstream": name}


def _routed(design: Design, part: Part, found: list[Placed], cycles: int, latency: int) -> dict[str, Any]:
    """Figures of the fastest placement."""
    from edgeternary.hdl import place

    best = place.best(found)
    return {
        "fmax_mhz": best.fmax_mhz,
        "fmax_spread": place.spread(found),
        "seeds": len(found),
        "seed": best.seed,
        "frames_per_s": round(1e6 * best.fmax_mhz / cycles),
        "latency_us": round(latency / best.fmax_mhz, 2),
        **one_by_one(design, latency, best.fmax_mhz),
        "critical_path": [
            f"{design.layers.get(where, where)} {ns:.2f} ns" for where, ns in best.critical_path
        ],
        "nextpnr": place.version(part),
    }
