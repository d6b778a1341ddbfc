"""Options that fit in place of a design that is out of reach: each was planned before it is named."""

import math
from collections.abc import Iterator
from dataclasses import replace

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl import estimate, plan
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import PARTS
from edgeternary.hdl.refused import fastest_clock
from edgeternary.hdl.top import Design
from edgeternary.ir import Graph

SLOWER = 0.9  # from one rate to the next lower one that is tried
TRIES = 12


def design(graph: Graph, constraints: Constraints) -> Design:
    """What plan.design makes; for what is out of reach the error names options that were planned and fit."""
    try:
        return plan.design(graph, constraints)
    except EdgeTernaryError as error:
        if error.code != DOES_NOT_FIT:
            raise
        raise EdgeTernaryError(error.what, error.why, remedy(graph, constraints), error.code) from error


def remedy(graph: Graph, constraints: Constraints) -> str:
    """Options that were planned and fit, in place of constraints (`constraints`) that no design meets."""
    other = "a board with a larger FPGA, or " if constraints.taken else ""
    return " or ".join(_hints(graph, constraints)) or f"{other}a network with fewer weights"


def possible(graph: Graph, constraints: Constraints) -> Design | None:
    """The design that meets the constraints, None if there is none."""
    try:
        return plan.design(graph, constraints)
    except EdgeTernaryError as error:
        if error.code != DOES_NOT_FIT:
            raise
        return None


def _hints(graph: Graph, constraints: Constraints) -> Iterator[str]:
    if constraints.clock and not constraints.bytewise and (clock := _clock(graph, constraints)):
        yield f"--clock {clock}"
    if constraints.latency:
        yield from _latency(graph, constraints)
    if constraints.max_luts and (luts := _luts(graph, constraints)):
        yield f"--max-luts {luts}"
    if constraints.fps and (rate := fps(graph, constraints)):
        yield f"--fps {rate}"
    if device := larger(graph, constraints):
        yield device


def _clock(graph: Graph, constraints: Constraints) -> int:
    """The highest clock that layers as wires keep, in MHz; 0 where that is not what is missed."""
    made = possible(graph, replace(constraints, clock=0))
    most = fastest_clock(made, PARTS[constraints.device]) if made and constraints.device in PARTS else 0
    slower = replace(constraints, clock=math.floor(min(most, constraints.clock)))
    return int(slower.clock) if constraints.clock > most and possible(graph, slower) else 0


def _latency(graph: Graph, constraints: Constraints) -> Iterator[str]:
    """The fewest clocks that are enough; or no limit of clocks."""
    longest = 2 * (sum(x.size for x in graph.inputs) + len(graph.ops)) + 8
    if longest > constraints.latency and (made := possible(graph, replace(constraints, latency=longest))):
        too_few, enough = constraints.latency, made.latency
        if possible(graph, replace(constraints, latency=enough)):
            while enough - too_few > 1:
                clocks = (too_few + enough) // 2
                found = possible(graph, replace(constraints, latency=clocks))
                too_few, enough = (too_few, clocks) if found else (clocks, enough)
            yield f"--latency {enough}"
            return
    if possible(graph, replace(constraints, latency=0)):
        yield "leave out --latency"


def _luts(graph: Graph, constraints: Constraints) -> int:
    """The fewest LUTs that the same design takes without their limit, 0 if it does not fit the part."""
    part, free = PARTS[constraints.device], replace(constraints, max_luts=0)
    made = possible(graph, free)
    if not made:
        return 0
    needed = estimate.total(made, part.name, constraints.blocks or part.ram_blocks)["luts"]
    return needed if possible(graph, replace(constraints, max_luts=needed)) else 0


def fps(graph: Graph, constraints: Constraints) -> int:
    """The highest rate below the one asked for that was found to fit, in frames a second; 0 if none did."""
    part = PARTS[constraints.device]
    made = possible(graph, replace(constraints, fps=0, maximize=not constraints.latency))
    if not made:
        return 0
    rate = min(1e6 * (constraints.clock or part.clock) / made.cycles, constraints.fps)
    for _ in range(TRIES):
        if int(rate) and possible(graph, replace(constraints, fps=int(rate))):
            return int(rate)
        rate *= SLOWER
    return 0


def larger(graph: Graph, constraints: Constraints) -> str:
    """The smallest larger part on which the same is possible, one that open tools place first; "" for none,
    and for boards, whose part cannot be exchanged."""
    luts = PARTS[constraints.device].luts if constraints.device in PARTS and not constraints.taken else 0
    for other in sorted(PARTS.values(), key=lambda p: (not p.place, p.luts)):
        if luts and other.luts > luts and possible(graph, replace(constraints, device=other.name)):
            return f"--device {other.name}"
    return ""
