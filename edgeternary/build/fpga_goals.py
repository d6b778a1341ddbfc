"""Goals of an FPGA design: the size after synthesis, the clock after place and route, and what would help."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeternary.build.fpga_chip import Chip
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier

if TYPE_CHECKING:
    from edgeternary.hdl.tools.place import Placed
    from edgeternary.hdl.top import Design

ATTEMPTS = 4  # designs, each planned with the limit that the figures of the one before leave
MARGIN = 0.97  # of the fmax that was reached: the clock that a next attempt is planned with


def within_luts(
    graph: Graph, design: Design, asked: Constraints, progress: Callable[[str], None], yosys: str
) -> Design:
    """The design, or where synthesis gives more LUTs than were allowed, a smaller one, planned with a lower
    limit. At a rate that is given there is none: the plan is the smallest."""
    from edgeternary.hdl import devices, emit, estimate, hints
    from edgeternary.hdl.tools.synthesis import synthesise

    if not asked.max_luts or asked.fps or asked.latency:
        return design
    limit, ram_blocks = asked.max_luts, devices.PARTS[asked.device].ram_blocks
    for _ in range(ATTEMPTS):
        progress(f"synthesising for {asked.device}")
        figures, _ = synthesise(emit.design_verilog(design), identifier(graph.name), asked.device, yosys)
        if (luts := int(figures["luts"])) <= asked.max_luts:
            break
        estimated = estimate.total(design, asked.device, ram_blocks)["luts"]
        limit = min(limit, estimated) * asked.max_luts // luts
        smaller = hints.possible(graph, replace(asked, max_luts=limit)) if limit else None
        if smaller is None:
            break
        design = smaller
    return design


def check_size(chip: Chip, figures: dict[str, Any], asked: Constraints) -> None:
    """EdgeTernaryError (code 5) where synthesis gives more than the FPGA has, or than was allowed."""
    from edgeternary.hdl import hints

    name = chip.graph.name
    title, *there = chip.room or ("", math.inf, math.inf)
    for word, unit, most in zip(("luts", "ram_blocks"), ("LUTs", "block RAMs"), there, strict=True):
        if figures[word] > most:
            remedy = f"a board with more: edgeternary boards --min-luts {figures['luts']}"
            if chip.part and not chip.board:
                remedy = hints.larger(chip.graph, asked) or "a network with fewer weights"
            raise EdgeTernaryError(
                f"{name} does not fit {title}: synthesis gives {figures[word]:,} {unit}, it has {most:,}",
                "the estimate was lower",
                remedy,
                DOES_NOT_FIT,
            )
    if asked.max_luts and figures["luts"] > asked.max_luts and not chip.board:
        raise EdgeTernaryError(
            f"{name} takes more LUTs than --max-luts allows: synthesis gives {figures['luts']:,}, "
            f"{asked.max_luts:,} may be used",
            "the estimate, by which the design was planned, was lower",
            f"--max-luts {figures['luts']}" if asked.fps else "a network with fewer weights",
            DOES_NOT_FIT,
        )


def missed(chip: Chip, asked: Constraints, found: list[Placed]) -> EdgeTernaryError:
    """What to say where place and route does not reach the clock of a board, or the one of a rate."""
    from edgeternary.hdl.tools import place

    name, best, design = chip.graph.name, place.best(found), chip.design
    steps = [f"{design.layers.get(where, where)} {ns:.1f} ns" for where, ns in best.critical_path[:4]]
    slowest = f"; the slowest path: {', '.join(steps)}" if steps else ""
    reached = math.floor(1e6 * best.fmax_mhz / design.cycles)
    if chip.board:
        what = f"{name} is too slow for {chip.board.title}"
        need = f"the clock has {chip.mhz:.1f}"
        remedy = "a board with a slower clock or a faster part: edgeternary boards --kind fpga"
    else:
        assert chip.part
        what = f"{name} reaches {reached:,} of {asked.fps:,.0f} frames/s on {chip.part.title}"
        need = f"{design.cycles:,} cycles a frame need {chip.mhz:.2f}"
        remedy = _faster(chip, asked, best.fmax_mhz, reached)
    why = f"the best of {len(found)} seeds has {best.fmax_mhz:g} MHz, and {need}{slowest}"
    return EdgeTernaryError(what, why, remedy, DOES_NOT_FIT)


def _faster(chip: Chip, asked: Constraints, fmax: float, reached: int) -> str:
    """A design of fewer cycles, planned with the clock that was reached; or the rate that was reached, where
    the same design is planned for it."""
    from edgeternary.hdl import hints

    words, graph = [], chip.graph
    clock = math.floor(fmax * MARGIN * 10) / 10
    if clock and not asked.latency and hints.possible(graph, replace(asked, clock=clock)):
        words.append(f"--clock {clock:g}, which plans for fewer cycles")
    same = hints.possible(graph, replace(asked, fps=reached, clock=fmax)) if reached else None
    if same and same.folding.folds == chip.design.folding.folds:
        words.append(f"--fps {reached} --clock {fmax:g}, what this design reached")
    return " or ".join(words) or hints.larger(graph, asked) or "a network with fewer pixels or channels"
