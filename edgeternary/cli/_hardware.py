"""Options of the verbs that make hardware; they reach a verb as `hardware` (Hardware)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from edgeternary.cli._record import record, titled
from edgeternary.cli._sizes import Count
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    import numpy as np

    from edgeternary.hdl.constraints import Constraints
    from edgeternary.ir import Graph

HARDWARE = ("hdl", "cxxrtl", "verilator", "netlist", "bitstream")


@dataclass(frozen=True)
class Hardware:
    """What was asked of a design on the command line; None, or False, leaves the choice to the planner."""

    fps: float | None = None
    maximize: str | None = None
    max_luts: int | None = None
    clock: float | None = None
    latency: int | None = None
    embedded: bool = False
    from_layer: str | None = None
    argmax: bool = False
    seeds: int | None = None

    def constraints(self) -> Constraints:
        """For the planner."""
        from edgeternary.hdl.constraints import Constraints

        return Constraints(
            fps=self.fps or 0,
            max_luts=self.max_luts or 0,
            maximize=self.maximize is not None,
            clock=self.clock or 0,
            seeds=self.seeds or 0,
            latency=self.latency or 0,
            embedded=self.embedded,
        )

    @staticmethod
    def of(asked: Constraints) -> Hardware:
        """What was asked of a design that is there already."""
        return Hardware(
            fps=asked.fps or None,
            maximize="fps" if asked.maximize else None,
            max_luts=asked.max_luts or None,
            clock=asked.clock or None,
            latency=asked.latency or None,
            embedded=asked.embedded,
        )

    def options(self, executors: Sequence[str]) -> dict[str, object]:
        """For executors.

        EdgeTernaryError (code 2) where none of them runs a device's design, and for a clock without a rate.
        """
        given = {**vars(self), "embedded": self.embedded or None}
        del given["from_layer"], given["argmax"], given["seeds"]
        found = {name: value for name, value in given.items() if value is not None}
        if found and not any(name.split(":")[0] in HARDWARE and ":" in name for name in executors):
            raise EdgeTernaryError(
                f"--{next(iter(found)).replace('_', '-')} needs an executor with a device",
                "only the hardware for a device is folded to constraints",
                "for example --on cxxrtl:up5k,netlist:up5k",
                USAGE,
            )
        if "clock" in found and not found.keys() & {"fps", "latency"}:
            raise EdgeTernaryError(
                "--clock has no effect here",
                "a simulation counts cycles, which depend on the clock only through a rate or a latency",
                "--fps or --latency with it, or leave it out",
                USAGE,
            )
        return found


_OPTIONS = titled(
    "FPGA",
    click.option("--fps", type=click.FloatRange(0, min_open=True), help="Frames a second to reach."),
    click.option(
        "--maximize", type=click.Choice(["fps"]), metavar="fps", help="As many frames a second as fit."
    ),
    click.option("--max-luts", type=Count(), help="At most this number of LUTs."),
    click.option(
        "--clock", type=click.FloatRange(0, min_open=True), metavar="MHZ", help="Clock of the design."
    ),
    click.option("--latency", type=click.IntRange(1), help="Clocks until the answer (small nets)."),
    click.option("--embedded", is_flag=True, help="A core inside a larger design: pins are no limit."),
)
_FROM = click.option(
    "--from", "from_layer", metavar="LAYER", help="Start after LAYER: the input is its codes."
)
_ARGMAX = click.option("--argmax", is_flag=True, help="End with the index of the largest number.")
_TRIES = titled(
    "FPGA",
    click.option("--tries", "seeds", type=click.IntRange(1, 50), help="Runs of place and route, best kept."),
)
hardware_options = record("hardware", Hardware, _FROM, _ARGMAX, *_OPTIONS)
placed_options = record("hardware", Hardware, _FROM, _ARGMAX, *_OPTIONS, *_TRIES)


def wanted(graph: Graph, hardware: Hardware) -> Graph:
    """The graph, or the part of it that follows a layer; with its class as the output where that is asked."""
    from edgeternary.passes.cut import after, with_argmax

    rest = after(graph, hardware.from_layer) if hardware.from_layer else graph
    return with_argmax(rest) if hardware.argmax else rest


def cut(graph: Graph, inputs: np.ndarray | None, hardware: Hardware) -> tuple[Graph, Any]:
    """What is `wanted` of a graph, and its inputs: those of the graph, or the codes of the layer before."""
    rest = wanted(graph, hardware)
    if hardware.from_layer is None or inputs is None:
        return rest, inputs
    from edgeternary.run import run

    return rest, run(graph, inputs, on="numpy", taps=True).taps[hardware.from_layer]
