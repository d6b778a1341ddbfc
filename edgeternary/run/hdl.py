"""Executor hdl: the Amaranth design in the Amaranth simulator, with every value at a part border as a tap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph, IntArray
from edgeternary.run._bench import empty_result, lead_shape
from edgeternary.run._device import design_for
from edgeternary.run.result import Result, Stat
from edgeternary.toolchains import require

if TYPE_CHECKING:
    from edgeternary.hdl.simulation.live import Live

TARGETED = True  # a device may be part of the name
WAVES = (".vcd",)
STATELESS = True  # a session also keeps a model alive that has no states


def run(
    graph: Graph,
    inputs: np.ndarray,
    *,
    target: str = "",
    taps: bool = False,
    options: Mapping[str, object] = {},
) -> Result:
    """Run `graph` on codes (samples, *shape), or (samples, steps, *shape) with states, back to back.

    target   "", or the device whose design runs, see run._device
    options  stalls (a seed: source and sink pause at random), progress (a callable), waves (a .vcd file)
    stats    cycles: between the last beats of the last two frames (of one frame: its latency);
             latency: from the first beat in to the last beat out of the first frame
    """
    require("amaranth")
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.run._compiled import timing

    stalls, progress = stall_seed(options), options.get("progress")
    if inputs.size == 0:
        return empty_result(graph, inputs)
    design = design_for(graph, target, options)
    total = math.prod(lead_shape(graph, inputs))
    done = simulate(
        design,
        inputs.astype(np.int32),
        taps=taps,
        stalls=stalls,
        waves=str(options.get("waves") or ""),
        progress=(lambda k: progress(k, total)) if callable(progress) else None,
    )
    return Result(done.outputs, done.taps, timing(done.times))


class _Session:
    """stats: cycles, the mean of a step from its first beat in to its last beat out."""

    def __init__(self, live: Live) -> None:
        self.live, self.stats = live, dict[str, Stat]()
        self.steps = self.cycles = 0

    def step(self, codes: np.ndarray) -> IntArray:
        found = self.live.frame(codes.astype(np.int32), first=self.steps == 0)
        self.steps += 1
        self.cycles += self.live.cycles
        self.stats["cycles"] = self.cycles / self.steps
        return found


@contextmanager
def open(graph: Graph, *, target: str = "", options: Mapping[str, object] = {}) -> Iterator[_Session]:
    """The design for the device `target`, or the bare core, simulated on from step to step.

    options  of the design, see run._device
    """
    require("amaranth")
    from edgeternary.hdl.simulation.live import Live

    yield _Session(Live(design_for(graph, target, options)))


def stall_seed(options: Mapping[str, object]) -> int | None:
    """The option `stalls`: a seed, or None for no pauses."""
    stalls = options.get("stalls")
    if stalls is not None and (not isinstance(stalls, int) or stalls < 0):
        raise EdgeTernaryError(f"bad option stalls={stalls!r}", "it is the seed of the pauses", code=USAGE)
    return stalls
