"""What a planned design goes through: synthesis, place and route, simulation, packing.

What can be refused is refused as early as it is known: the size after synthesis, the clock after place and
route, and only then is a simulator built.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeternary.build.fpga_chip import Chip
from edgeternary.build.fpga_figures import one_by_one
from edgeternary.build.fpga_goals import check_size, missed
from edgeternary.build.made import Files
from edgeternary.errors import NOT_BIT_EXACT, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.ir.ports import join
from edgeternary.ops.build import samples

if TYPE_CHECKING:
    from edgeternary.hdl.tools.place import Placed

FRAMES = 4  # simulated back to back, for the cycles a frame and the latency
PROBE = 17  # seed of the frames
MORE_SEEDS = 5  # beyond those that are placed anyway, while a rate is missed
Progress = Callable[[str], None]


def built(chip: Chip, asked: Constraints, progress: Progress, yosys: str) -> tuple[Files, dict[str, Any]]:
    """The bitstream, where the part has an open place and route, and the figures of what was built.

    Frames go through a core in CXXRTL; a board's design, serial port included, is what its emulator runs.
    EdgeTernaryError (code 5) where the design does not fit, or misses what was asked for; (code 4) where
    it is not exact.
    """
    from edgeternary.hdl import embedded
    from edgeternary.hdl.tools import place
    from edgeternary.hdl.tools.synthesis import refuse_multipliers, synthesise

    part = chip.part
    if part:
        place.need(part)  # synthesis may take minutes
    progress(f"synthesising for {chip.device}")
    counted, folder = synthesise(chip.text, chip.top, chip.device, yosys)
    figures: dict[str, Any] = dict(counted)
    refuse_multipliers(chip.graph.name, figures)
    check_size(chip, figures, asked)
    placed: list[Placed] = []
    if part and part.place:
        if asked.embedded:
            folder = embedded.synthesised(chip.design, chip.device, yosys)
        placed = _placed(chip, asked, folder, int(figures["luts"]), progress)
    if not chip.board:
        figures |= _simulated(chip, yosys, progress)
    if not part or not placed:
        return {}, figures
    figures |= _routed(chip, placed, figures)
    if asked.embedded:
        return {}, figures
    best, name = place.best(placed), place.PLACERS[part.family].bitstream
    bitstream = place.pack(best, part)
    figures |= {"logic_cells": best.logic_cells, "bitstream": name}
    if chip.board:
        bitstream = _with_weights(bitstream, chip.design.weights)
        figures |= {"clock_mhz": chip.mhz, "sha256": hashlib.sha256(bitstream).hexdigest()}
    return {name: bitstream}, figures


def probe(graph: Graph) -> np.ndarray:
    """FRAMES random frames, always the same ones; with states two samples of FRAMES steps."""
    rng, lead = np.random.default_rng(PROBE), (2, FRAMES) if graph.states else (FRAMES,)
    drawn = {x.name: samples(rng, x, math.prod(lead)).reshape(*lead, *x.shape) for x in graph.inputs}
    return join(graph.inputs, drawn)


def _placed(chip: Chip, asked: Constraints, folder: Path, luts: int, progress: Progress) -> list[Placed]:
    """Placements of a netlist, with more seeds while the best of them misses the clock.

    On a board, whose clock is fixed, one seed that reaches it is enough. EdgeTernaryError (code 5), with what
    was reached, where none does.
    """
    from edgeternary.hdl.tools import place
    from edgeternary.hdl.wired import depth

    assert chip.part
    wires = depth(chip.design.top.parts) > 0
    usual = asked.seeds or place.seeds(luts)
    first = 1 if chip.board and not asked.seeds else usual
    most = usual if asked.seeds or chip.board or not chip.mhz else usual + MORE_SEEDS
    found: list[Placed] = []
    for count in range(first, most + 1):
        if count > first:
            progress(f"{place.best(found).fmax_mhz:.1f} MHz of {chip.mhz:.1f}: another seed")
        found = place.place(
            folder / "netlist.json", chip.part, count, name=chip.graph.name, pins=chip.pins, wires=wires,
            progress=progress,
        )  # fmt: skip
        if place.best(found).fmax_mhz >= chip.mhz:
            return found
    raise missed(chip, asked, found)


def _simulated(chip: Chip, yosys: str, progress: Progress) -> dict[str, Any]:
    """Cycles and latency of frames back to back in CXXRTL, compared with numpy."""
    from edgeternary.hdl import emit
    from edgeternary.run import cxxrtl, numpy

    progress(f"simulating {FRAMES} frames")
    inputs, text = probe(chip.graph), emit.design_rtlil(chip.design)
    ran = cxxrtl.simulate(chip.design, "design.il", text, cxxrtl.READ, inputs, {"yosys": yosys})
    if not np.array_equal(ran.outputs, numpy.run(chip.graph, inputs).outputs):
        raise EdgeTernaryError(
            f"the hardware of model {chip.graph.name!r} is not exact",
            "random frames in CXXRTL differ from numpy",
            "report this as a bug",
            NOT_BIT_EXACT,
        )
    return {"cycles": int(ran.stats["cycles"] or 0), "latency_cycles": int(ran.stats["latency"] or 0)}


def _routed(chip: Chip, placed: list[Placed], simulated: dict[str, Any]) -> dict[str, Any]:
    """Figures of the fastest placement; of a core also frames a second and latency at that clock."""
    from edgeternary.hdl.tools import place

    assert chip.part
    best, layers = place.best(placed), chip.design.layers
    rates: dict[str, Any] = {}
    if not chip.board:
        latency = simulated["latency_cycles"]
        rates["frames_per_s"] = round(1e6 * best.fmax_mhz / simulated["cycles"])
        rates["latency_us"] = round(latency / best.fmax_mhz, 2)
        rates |= one_by_one(chip.design, latency, best.fmax_mhz)
    return {
        "fmax_mhz": best.fmax_mhz,
        "fmax_spread": place.spread(placed),
        "seeds": len(placed),
        "seed": best.seed,
        **rates,
        "critical_path": [f"{layers.get(where, where)} {ns:.2f} ns" for where, ns in best.critical_path],
        "nextpnr": place.version(chip.part),
    }


def _with_weights(bitstream: bytes, weights: bytes) -> bytes:
    """The bitstream with the weights that the design loads from the configuration flash."""
    from edgeternary.hdl.loading import image

    return image(bitstream, weights) if weights else bitstream
