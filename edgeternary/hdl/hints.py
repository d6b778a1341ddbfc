"""What would do instead of a design that is out of reach: each hint was planned before it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl import estimate, plan
from edgeternary.hdl.devices import PARTS
from edgeternary.hdl.plan import Wishes
from edgeternary.hdl.top import Design
from edgeternary.ir import Graph

SLOWER = 0.9  # from one rate to the next lower one that is tried
TRIES = 12


def remedy(graph: Graph, wishes: Wishes) -> str:
    """Options that were planned and fit, in place of constraints (`wishes`) that no design meets."""
    other = "a board with a larger FPGA, or " if wishes.taken else ""
    return " or ".join(_hints(graph, wishes)) or f"{other}a network with fewer weights"


def possible(graph: Graph, wishes: Wishes) -> Design | None:
    """The design that meets the constraints, None if there is none."""
    try:
        return plan.design(graph, wishes, advise=False)
    except EdgeTernaryError as error:
        if error.code != DOES_NOT_FIT:
            raise
        return None


def _hints(graph: Graph, wishes: Wishes) -> Iterator[str]:
    if wishes.latency:
        yield from _latency(graph, wishes)
    if wishes.max_luts and (luts := _luts(graph, wishes)):
        yield f"--max-luts {luts}"
    if wishes.fps and (rate := fps(graph, wishes)):
        yield f"--fps {rate}"
    if device := larger(graph, wishes):
        yield device


def _latency(graph: Graph, wishes: Wishes) -> Iterator[str]:
    """More clocks, as many as the layers take; or no limit of clocks."""
    longest = 2 * (graph.input.size + len(graph.ops)) + 8
    if longest > wishes.latency and (made := possible(graph, replace(wishes, latency=longest))):
        clocks = made.latency
        if possible(graph, replace(wishes, latency=clocks)):
            yield f"--latency {clocks}"
            return
    if possible(graph, replace(wishes, latency=0)):
        yield "leave out --latency"


def _luts(graph: Graph, wishes: Wishes) -> int:
    """The fewest LUTs that the same design takes without their limit, 0 if it does not fit the part."""
    part, free = PARTS[wishes.device], replace(wishes, max_luts=0)
    made = possible(graph, free)
    if not made:
        return 0
    needed = estimate.total(made, part.name, wishes.blocks or part.ram_blocks)["luts"]
    return needed if possible(graph, replace(wishes, max_luts=needed)) else 0


def fps(graph: Graph, wishes: Wishes) -> int:
    """The highest rate below the one asked for that was found to fit, in frames a second; 0 if none did."""
    part = PARTS[wishes.device]
    made = possible(graph, replace(wishes, fps=0, maximize=not wishes.latency))
    if not made:
        return 0
    rate = min(1e6 * (wishes.clock or part.clock) / made.cycles, wishes.fps)
    for _ in range(TRIES):
        if int(rate) and possible(graph, replace(wishes, fps=int(rate))):
            return int(rate)
        rate *= SLOWER
    return 0


def larger(graph: Graph, wishes: Wishes) -> str:
    """The smallest larger part on which the same is possible, one that open tools place first; "" for none,
    and for boards, whose part cannot be exchanged."""
    luts = PARTS[wishes.device].luts if wishes.device in PARTS and not wishes.taken else 0
    for other in sorted(PARTS.values(), key=lambda p: (not p.place, p.luts)):
        if luts and other.luts > luts and possible(graph, replace(wishes, device=other.name)):
            return f"--device {other.name}"
    return ""
