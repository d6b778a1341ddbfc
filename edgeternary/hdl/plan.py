"""What is asked of a design, and the design that answers it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError
from edgeternary.hdl import estimate, memory
from edgeternary.hdl.devices import PARTS, Part, family
from edgeternary.hdl.devices import part as part_named
from edgeternary.hdl.folding import Folding, awkward, fold, input_lanes, layers, prepared
from edgeternary.hdl.loading import with_loader
from edgeternary.hdl.top import Design, answer_bytes, build
from edgeternary.hdl.wired import latency, why_not
from edgeternary.ir import Graph


@dataclass(frozen=True)
class Wishes:
    """What a design is to be.

    device    a part or family of hdl.devices, "" for the bare core with the default folding
    fps       frames a second to reach; 0: no wish
    max_luts  at most so many LUTs; 0: what the part has
    maximize  as many frames a second as fit
    clock     MHz that cycles are reckoned with; 0: the device's
    blocks    at most so many block RAMs; 0: what the part has
    taken     logic cells of the part that something else takes
    single_port_rams  so many may be used where the design does not fit without; -1: what the part has
    latency   at most so many clocks from a frame to its answer, weights as wires; 0: no wish
    bytewise  the answer leaves a byte a beat, whatever it costs: for a serial port
    embedded  the core goes into a larger design on the part: no pins limit its ports, and numbers leave as
              they are, several a beat, in place of bytes
    """

    device: str = ""
    fps: float = 0.0
    max_luts: int = 0
    maximize: bool = False
    clock: float = 0.0
    blocks: int = 0
    taken: int = 0
    single_port_rams: int = -1
    latency: int = 0
    bytewise: bool = False
    embedded: bool = False


FULL = 0.9  # of the logic cells: beyond that place and route takes long and the clock falls
STEP = 0.85  # from one pace to the next faster one that is tried
GAIN = 0.05  # of LUTs or cycles that padding must save


def folding(graph: Graph, wishes: Wishes) -> Folding:
    """The folding that meets the wishes with the fewest LUTs; single-port RAMs are used as `wishes` says.

    Without a wish for speed, the default folding, or the fastest slower one that fits. Awkward sizes are
    padded where the rate is out of reach without, or where that is better by more than GAIN. More of a
    window is taken at once only where nothing else is as fast as asked for.
    EdgeTernaryError (code 5): the rate is out of reach, or even the smallest design does not fit.
    """
    if wishes.latency:
        return _wired(graph, wishes)
    if wishes.device not in PARTS and not (wishes.fps or wishes.max_luts or wishes.maximize):
        return fold(graph, kept=bool(wishes.device) and family(wishes.device).output_registers)
    part = part_named(wishes.device)  # a family has neither a clock nor a size to plan for
    part = replace(part, pins=part.pins - bool(graph.states))  # the bit that says where a sample starts
    if wishes.single_port_rams:
        part = replace(part, pins=part.pins - 8)  # those that the loader's bytes come in on
    if wishes.embedded:
        part = replace(part, pins=graph.input.size * graph.input.type.bits)  # the whole frame at once
    found = _searched(graph, part, wishes, wide=False)
    if _may_be_faster(graph, found, part, wishes):
        wider = _searched(graph, part, wishes, wide=True)
        if not isinstance(found, Folding) or (
            isinstance(wider, Folding)
            and _made(graph, wider, wishes).cycles < _made(graph, found, wishes).cycles
        ):
            found = wider
    if isinstance(found, EdgeTernaryError):
        raise found
    return found


def _may_be_faster(graph: Graph, found: Folding | EdgeTernaryError, part: Part, wishes: Wishes) -> bool:
    """Whether taking more of a window at once may help: a rate was missed, or what is the fastest without it
    fits where as much as fits is asked for."""
    if not any(op.kind == "conv2d" for op in graph.ops):
        return False
    if isinstance(found, EdgeTernaryError):
        return True
    fastest = _at(graph, part, 1, found.padded, False)
    return wishes.maximize and replace(found, answer_bytes=1) == fastest


def _searched(graph: Graph, part: Part, wishes: Wishes, wide: bool) -> Folding | EdgeTernaryError:
    """The best folding, awkward sizes padded or not; the error where none is found."""
    search = _keeping if wishes.fps else _fastest
    found: list[Folding] = []
    missed: EdgeTernaryError | None = None
    for padded in (False, True) if awkward(graph) else (False,):
        try:
            found.append(search(graph, part, wishes, padded, wide))
        except EdgeTernaryError as error:
            if error.code != DOES_NOT_FIT:
                raise
            missed = error
    if missed and not found:
        return missed
    if len(found) < 2:
        return found[0]
    plain, other = (_cost(graph, one, part, wishes) for one in found)
    return found[other < (1 - GAIN) * plain]


def _cost(graph: Graph, found: Folding, part: Part, wishes: Wishes) -> int:
    """What is to be small: LUTs at a rate that is given, else the cycles of a frame."""
    made = _made(graph, found, wishes)
    if not wishes.fps:
        return made.cycles
    return estimate.total(made, part.name, wishes.blocks or part.ram_blocks)["luts"]


def _wired(graph: Graph, wishes: Wishes) -> Folding:
    """No folding at all; EdgeTernaryError (code 5) for more layers than clocks, too many weights, or more
    frames a second than the input comes in with."""
    bits, part = graph.input.size * graph.input.type.bits, PARTS.get(wishes.device)
    if part and not wishes.embedded and bits > (most := part.pins - bool(graph.states)):
        bits = most
    found = Folding(cycles=1, input_bits=bits, wired=True)
    clocks, why = latency(graph, input_lanes(graph, found)), why_not(graph)
    if why or clocks > wishes.latency:
        raise EdgeTernaryError(
            f"{graph.name} cannot answer within {wishes.latency} clocks",
            why or f"its input, {len(graph.ops)} layers and the registers between take {clocks}",
            "",
            DOES_NOT_FIT,
        )
    if part:
        _keeps_rate(graph, found, part, wishes)
        _check(graph, found, part, wishes)
    return found


def _at(graph: Graph, part: Part, cycles: int, padded: bool, wide: bool) -> Folding:
    kept = family(part.name).output_registers
    return fold(graph, cycles=cycles, input_bits=part.pins, kept=kept, padded=padded, wide=wide)


def _keeping(graph: Graph, part: Part, wishes: Wishes, padded: bool, wide: bool) -> Folding:
    """The cheapest folding that keeps the rate."""
    wanted = max(_cycles(part, wishes), 1)
    found = _leaving(graph, _at(graph, part, wanted, padded, wide), part, wishes, wanted)
    _keeps_rate(graph, found, part, wishes)
    _check(graph, found, part, wishes)
    return found


def _leaving(graph: Graph, found: Folding, part: Part, wishes: Wishes, wanted: int) -> Folding:
    """The folding whose answer leaves in fewer beats, as far as it alone keeps a frame from taking `wanted`
    cycles and pins are left beside those of the input."""
    value = graph.output_value
    if wishes.bytewise or wishes.embedded or value.size * answer_bytes(value) + 2 < wanted:
        return found  # as bytes it keeps up in any case
    for beat in (2, 4):
        made = build(graph, found, answer=True)
        bits = made.i_lanes * made.i_element.width
        more = answer_bytes(graph.output_value) % beat == 0 and bits + 8 * (beat - 1) <= part.pins
        if made.cycles <= wanted or made.o_beats < made.cycles or not more:
            break
        found = replace(found, answer_bytes=beat)
    return found


def _cycles(part: Part, wishes: Wishes) -> int:
    """Cycles that a frame may take at the rate that is asked for."""
    return int(1e6 * (wishes.clock or part.clock) / wishes.fps)


def _keeps_rate(graph: Graph, found: Folding, part: Part, wishes: Wishes) -> None:
    """EdgeTernaryError (code 5) for a folding whose frames take more cycles than the rate allows."""
    if not wishes.fps:
        return
    wanted, reached = _cycles(part, wishes), _made(graph, found, wishes).cycles
    if reached > wanted:
        clock = wishes.clock or part.clock
        takes = "a frame takes" if found.wired else "the fastest folding takes"
        raise EdgeTernaryError(
            f"{graph.name} does not reach {wishes.fps:,.0f} frames/s on {part.title}",
            f"that is {f'{wanted:,}' if wanted else 'not one'} cycles a frame at {clock:g} MHz, "
            f"{takes} {reached:,}",
            "",
            DOES_NOT_FIT,
        )


def _fastest(graph: Graph, part: Part, wishes: Wishes, padded: bool, wide: bool) -> Folding:
    """The fastest folding that fits, by bisection over paces STEP apart; without `maximize` none faster
    than the default one."""
    default = fold(graph, input_bits=part.pins if wishes.embedded else 0, padded=padded).cycles
    slowest = max(default, sum(m.cycles(1, 1) for m in layers(prepared(graph, padded)).values()))
    paces = [slowest]
    while paces[-1] > (1 if wishes.maximize else default):
        paces.append(max(int(paces[-1] * STEP), 1 if wishes.maximize else default))

    def at(pace: int) -> Folding:
        return _at(graph, part, pace, padded, wide)

    if wishes.single_port_rams:  # words must be neither wider nor much narrower than those: no bisection
        tries = (made for made, _ in groupby(at(pace) for pace in reversed(paces)))
        found = next((f for f in tries if _fits(graph, f, part, wishes)), at(paces[0]))
        _check(graph, found, part, wishes)
        return _widest(graph, found, part, wishes)
    found, faster = at(paces[0]), len(paces)
    _check(graph, found, part, wishes)
    best = 0
    while faster - best > 1:
        middle = (best + faster) // 2
        tried = at(paces[middle])
        if _fits(graph, tried, part, wishes):
            best, found = middle, tried
        else:
            faster = middle
    return _widest(graph, found, part, wishes)


def _widest(graph: Graph, found: Folding, part: Part, wishes: Wishes) -> Folding:
    """Where as many frames as fit are asked for, the answer leaves in as few beats as help and fit."""
    wider = _leaving(graph, found, part, wishes, 0) if wishes.maximize else found
    return wider if wider == found or _fits(graph, wider, part, wishes) else found


def limits(part: Part, wishes: Wishes) -> dict[str, int]:
    """What a design may take of each resource."""
    return {
        "luts": min(int(FULL * part.luts) - wishes.taken, wishes.max_luts or part.luts),
        "logic_cells": int(FULL * part.luts) - wishes.taken,
        "ram_blocks": wishes.blocks or part.ram_blocks,
    }


def _made(graph: Graph, found: Folding, wishes: Wishes) -> Design:
    made = build(graph, found, answer=not wishes.embedded)
    return replace(made, single_port_rams=wishes.single_port_rams)


def _fits(graph: Graph, found: Folding, part: Part, wishes: Wishes) -> bool:
    made, most = _made(graph, found, wishes), limits(part, wishes)
    if estimate.least(made, part.name) > most["luts"]:
        return False
    needs = estimate.total(made, part.name, wishes.blocks or part.ram_blocks)
    return all(needs[word] <= count for word, count in most.items())


def _check(graph: Graph, found: Folding, part: Part, wishes: Wishes) -> None:
    """EdgeTernaryError (code 5), with the layer that takes the most, for a design that does not fit."""
    made = _made(graph, found, wishes)
    rows = estimate.by_part(made, part.name, wishes.blocks or part.ram_blocks)
    for word, most in limits(part, wishes).items():
        needed = sum(row.get(word, 0) for row in rows.values())
        if needed > most:
            instance, row = max(rows.items(), key=lambda item: item[1].get(word, 0))
            name = made.layers.get(instance, instance)
            raise EdgeTernaryError(
                f"{graph.name} does not fit {part.title}: needs about {needed:,} "
                f"{word.replace('_', ' ')}, {most:,} may be used",
                f"at {made.cycles:,} cycles a frame; {name} takes {row[word]:,} of them",
                "",
                DOES_NOT_FIT,
            )


def design(graph: Graph, wishes: Wishes, memories: str = "", advise: bool = True) -> Design:
    """The core (stream of numbers out), or for a device the design that goes onto it (stream of bytes out).

    Memories are placed for the device as `hdl.memory` says, or for `memories`, another device or family. What
    does not fit otherwise gets its weights in single-port RAM, if the part has some, and a loader.
    EdgeTernaryError: code 5 for what is out of reach; with `advise` it says what is not, see hdl.hints. Code
    2 for constraints that exclude each other.
    """
    _refuse_contradictions(wishes)
    try:
        return _design(graph, wishes, memories)
    except EdgeTernaryError as error:
        if error.code != DOES_NOT_FIT or not advise:
            raise
        from edgeternary.hdl import hints

        raise EdgeTernaryError(error.what, error.why, hints.remedy(graph, wishes), error.code) from error


def _refuse_contradictions(wishes: Wishes) -> None:
    """EdgeTernaryError (code 2) where one wish leaves nothing to another."""
    other, why = "", ""
    if wishes.maximize and wishes.fps:
        other, why = (
            "--fps",
            "--fps asks for the smallest design that keeps a rate, --maximize for the fastest",
        )
    elif wishes.maximize and wishes.latency:
        other, why = "--latency", "with --latency nothing is folded, so there is nothing to choose from"
    if wishes.embedded and wishes.device not in PARTS:
        raise EdgeTernaryError(
            f"--embedded has no effect on {wishes.device or 'a core without a device'}",
            "it frees ports from the pins of one FPGA, and no FPGA of known pins was named",
            f"one of {', '.join(PARTS)}, or leave it out",
            USAGE,
        )
    if other:
        raise EdgeTernaryError(
            f"--maximize and {other} exclude each other", why, "leave one of them out", USAGE
        )


def _design(graph: Graph, wishes: Wishes, memories: str) -> Design:
    part = PARTS.get(wishes.device)
    rams = part.single_port_rams if part else 0
    most = rams if wishes.single_port_rams < 0 else min(rams, wishes.single_port_rams)
    wishes = replace(wishes, single_port_rams=0)
    try:
        found = folding(graph, wishes)
    except EdgeTernaryError as error:
        if not most or error.code != DOES_NOT_FIT:
            raise
        wishes = replace(wishes, single_port_rams=most)
        found = folding(graph, wishes)
    made = build(graph, found, answer=bool(wishes.device) and not wishes.embedded)
    if not wishes.device:
        return made
    made = replace(made, single_port_rams=wishes.single_port_rams)
    target = memories or wishes.device
    chosen = PARTS.get(target)
    available = wishes.blocks or (chosen.ram_blocks if chosen else None)
    memory.allocate(made.top.parts, family(target), available, 0 if memories else made.single_port_rams)
    return with_loader(made)
