"""What a design is refused for before any tool runs: its size, its rate, its clock, constraints at odds."""

import math

from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError
from edgeternary.hdl import estimate, memory
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import PARTS, Part, family
from edgeternary.hdl.top import Design
from edgeternary.hdl.wired import depth, longest
from edgeternary_hw import Wired

FULL = 0.9  # of the logic cells: beyond that place and route takes long and the clock falls
WIRES = 0.95  # where layers are wires, whose cells are counted one by one


def limits(part: Part, constraints: Constraints, wires: bool = False) -> dict[str, int]:
    """What a design may take of each resource; wires: some layers are."""
    full = int((WIRES if wires else FULL) * part.luts) - constraints.taken
    return {
        "luts": min(full, constraints.max_luts or part.luts),
        "logic_cells": full,
        "ram_blocks": constraints.blocks or part.ram_blocks,
    }


def cycles_at(part: Part, constraints: Constraints) -> int:
    """Cycles that a frame may take at the rate that is asked for."""
    return int(1e6 * (constraints.clock or part.clock) / constraints.fps)


def keeps_rate(made: Design, part: Part, constraints: Constraints) -> None:
    """EdgeTernaryError (code 5) for a design whose frames take more cycles than the rate allows."""
    if not constraints.fps:
        return
    wanted, reached = cycles_at(part, constraints), made.cycles
    if reached > wanted:
        clock = constraints.clock or part.clock
        takes = "a frame takes" if made.folding.wired else "the fastest folding takes"
        raise EdgeTernaryError(
            f"{made.graph.name} does not reach {constraints.fps:,.0f} frames/s on {part.title}",
            f"that is {f'{wanted:,}' if wanted else 'not one'} cycles a frame at {clock:g} MHz, "
            f"{takes} {reached:,}",
            "",
            DOES_NOT_FIT,
        )


def _keeps_clock(made: Design, part: Part, constraints: Constraints) -> None:
    """EdgeTernaryError (code 5) for a clock that was asked for, and that a node alone is too slow for."""
    most = fastest_clock(made, part)
    if constraints.clock > most:
        raise EdgeTernaryError(
            f"{made.graph.name} does not reach {constraints.clock:g} MHz on {part.title}",
            f"its longest adder or wire, which no register divides, allows about {most:.0f} MHz",
            "",
            DOES_NOT_FIT,
        )


def fastest_clock(made: Design, part: Part) -> float:
    """MHz that the longest node of a layer as wires allows, as far as delays are known before placement."""
    slowest = max((longest(p) for _, p in made.top.parts if isinstance(p, Wired)), default=0.0)
    return 1000 / slowest / part.slower if slowest else math.inf


def check_size(made: Design, part: Part, constraints: Constraints) -> None:
    """EdgeTernaryError (code 5), with the layer that takes the most, for a design that does not fit; and for
    a clock that is faster than an adder."""
    _keeps_clock(made, part, constraints)
    rows = estimate.by_part(made, part.name, constraints.blocks or part.ram_blocks)
    for word, most in limits(part, constraints, depth(made.top.parts) > 0).items():
        needed = sum(row.get(word, 0) for row in rows.values())
        if needed > most:
            instance, row = max(rows.items(), key=lambda item: item[1].get(word, 0))
            name = made.layers.get(instance, instance)
            placed = memory.placed(
                made, family(part.name), constraints.blocks or part.ram_blocks, made.single_port_rams
            )
            raise EdgeTernaryError(
                f"{made.graph.name} does not fit {part.title}: needs about {needed:,} "
                f"{word.replace('_', ' ')}, {most:,} may be used",
                f"at {placed.cycles:,} cycles a frame; {name} takes {row[word]:,} of them",
                "",
                DOES_NOT_FIT,
            )


def refuse_contradictions(constraints: Constraints) -> None:
    """EdgeTernaryError (code 2) where one constraint leaves nothing to another."""
    other, why = "", ""
    if constraints.maximize and constraints.fps:
        other, why = (
            "--fps",
            "--fps asks for the smallest design that keeps a rate, --maximize for the fastest",
        )
    elif constraints.maximize and constraints.latency:
        other, why = "--latency", "with --latency nothing is folded, so there is nothing to choose from"
    if constraints.embedded and constraints.device not in PARTS:
        raise EdgeTernaryError(
            f"--embedded has no effect on {constraints.device or 'a core without a device'}",
            "it frees ports from the pins of one FPGA, and no FPGA of known pins was named",
            f"one of {', '.join(PARTS)}, or leave it out",
            USAGE,
        )
    if other:
        raise EdgeTernaryError(
            f"--maximize and {other} exclude each other", why, "leave one of them out", USAGE
        )
