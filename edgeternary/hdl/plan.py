"""What is asked of a design, and the design that answers it."""

from dataclasses import replace
from itertools import groupby

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl import estimate, memory
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.devices import PARTS, Part, family
from edgeternary.hdl.devices import part as part_named
from edgeternary.hdl.fold import Folding
from edgeternary.hdl.folding import fold, matrices
from edgeternary.hdl.limits import check as check_layers
from edgeternary.hdl.loading import with_loader
from edgeternary.hdl.mixed import choices
from edgeternary.hdl.passes import awkward, prepared
from edgeternary.hdl.refused import check_size, cycles_at, keeps_rate, limits, refuse_contradictions
from edgeternary.hdl.top import Design, answer_bytes, build
from edgeternary.hdl.wired import depth, why_not
from edgeternary.ir import Graph

Names = tuple[str, ...]
STEP = 0.85  # from one pace to the next faster one that is tried
CLOCK = 100.0  # MHz, where no part says it
GAIN = 0.05  # of LUTs or cycles that padding must save


def folding(graph: Graph, constraints: Constraints) -> Folding:
    """The folding that meets `constraints` with the fewest LUTs, in single-port RAMs where they allow it.

    Without a constraint on speed, the default folding, or the fastest slower one that fits. Awkward sizes are
    padded where the rate is out of reach without, or where that is better by more than GAIN. More of a
    window is taken at once only where nothing else is as fast as asked for, and layers are wires in a design
    that folds others only where no folding meets the constraints.
    EdgeTernaryError (code 5): the rate is out of reach, or even the smallest design does not fit. (code 1):
    a layer has no hardware.
    """
    return _found(graph, constraints, 0)[0]


def _found(graph: Graph, constraints: Constraints, rams: int) -> tuple[Folding, Constraints]:
    """The folding, and the constraints with the single-port RAMs that it may use: up to `rams`, only where no
    folding meets the constraints without. Layers are wires only where none meets them with, either."""
    check_layers(graph)
    missed: list[tuple[Constraints, EdgeTernaryError]] = []
    for count in (0, rams) if rams and matrices(graph) else (0,):
        asked = replace(constraints, single_port_rams=count)
        try:
            return (_answering if asked.latency else _folded)(graph, asked), asked
        except EdgeTernaryError as error:
            if error.code != DOES_NOT_FIT:
                raise
            missed.append((asked, error))
    for asked, _ in missed if not constraints.latency else ():
        if made := _mixed(graph, _part(graph, asked), asked):
            return made, asked
    raise missed[-1][1]


def _folded(graph: Graph, constraints: Constraints) -> Folding:
    """A folding without layers as wires. EdgeTernaryError (code 5) where there is none."""
    if constraints.device not in PARTS and not (
        constraints.fps or constraints.max_luts or constraints.maximize
    ):
        fabric = family(constraints.device or "ice40")
        kept = bool(constraints.device) and fabric.output_registers
        return replace(fold(graph, kept=kept), fabric=fabric.name)
    part = _part(graph, constraints)
    found = _searched(graph, part, constraints, wide=False)
    if _may_be_faster(graph, found, part, constraints):
        wider = _searched(graph, part, constraints, wide=True)
        if not isinstance(found, Folding) or (
            isinstance(wider, Folding)
            and _made(graph, wider, constraints).cycles < _made(graph, found, constraints).cycles
        ):
            found = wider
    if isinstance(found, EdgeTernaryError):
        raise found
    return found


def _mixed(graph: Graph, part: Part, constraints: Constraints) -> Folding | None:
    """A folding that meets the constraints with some layers as wires, the fewest weights that do, if there is
    one."""
    if constraints.fps and _input_beats(graph, part) > cycles_at(part, constraints):
        return None  # whatever its layers are
    asked = replace(constraints, maximize=True) if constraints.latency else constraints
    search = _keeping if constraints.fps else _fastest
    for wires in choices(graph, part.luts):
        try:
            found = search(graph, part, asked, False, False, wires)
        except EdgeTernaryError as error:
            if error.code != DOES_NOT_FIT:
                raise
            continue
        if not constraints.latency or _latency(graph, found, part, constraints) <= constraints.latency:
            return found
    return None


def _latency(graph: Graph, found: Folding, part: Part, constraints: Constraints) -> int:
    """Clocks to an answer with memories where the part has them."""
    made = _made(graph, found, constraints)
    blocks = constraints.blocks or part.ram_blocks
    return memory.placed(made, family(part.name), blocks, made.single_port_rams).latency


def _answering(graph: Graph, constraints: Constraints) -> Folding:
    """All layers as wires if the latency allows it and they fit, else some of them or none."""
    try:
        return _wired(graph, constraints)
    except EdgeTernaryError as error:
        if error.code != DOES_NOT_FIT or constraints.device not in PARTS or graph.several or graph.states:
            raise
        if made := _mixed(graph, _part(graph, constraints), constraints):
            return made
        raise


def _part(graph: Graph, constraints: Constraints) -> Part:
    """The part, with the pins that are left for input bits."""
    part = part_named(constraints.device)  # a family has neither a clock nor a size to plan for
    part = replace(part, pins=part.pins - bool(graph.states))  # the bit that says where a sample starts
    if constraints.single_port_rams:
        part = replace(part, pins=part.pins - 8)  # those that the loader's bytes come in on
    if constraints.embedded:
        part = replace(part, pins=_input_bits(graph))  # the whole frame at once
    if constraints.bytewise:
        part = replace(part, pins=max(x.type.bits for x in graph.inputs))  # a number a clock
    return part


def _input_bits(graph: Graph) -> int:
    """Bits of a whole frame in."""
    return sum(x.size * x.type.bits for x in graph.inputs)


def _input_beats(graph: Graph, part: Part) -> int:
    """The least beats in which a frame comes in at the pins, a bound of its cycles in every design."""
    pins = max(part.pins // len(graph.inputs), 1)
    return max(-(-x.size // max(pins // x.type.bits, 1)) for x in graph.inputs)


def _may_be_faster(
    graph: Graph, found: Folding | EdgeTernaryError, part: Part, constraints: Constraints
) -> bool:
    """Whether taking more of a window at once may help: a rate was missed, or what is the fastest without it
    fits where as much as fits is asked for."""
    if not any(op.kind == "conv2d" for op in graph.ops):
        return False
    if isinstance(found, EdgeTernaryError):
        return True
    fastest = _at(graph, part, constraints, 1, found.padded, False)
    return constraints.maximize and replace(found, answer_bytes=1) == fastest


def _searched(graph: Graph, part: Part, constraints: Constraints, wide: bool) -> Folding | EdgeTernaryError:
    """The best folding, awkward sizes padded or not; the error where none is found."""
    search = _keeping if constraints.fps else _fastest
    found: list[Folding] = []
    missed: EdgeTernaryError | None = None
    for padded in (False, True) if awkward(graph) else (False,):
        try:
            found.append(search(graph, part, constraints, padded, wide))
        except EdgeTernaryError as error:
            if error.code != DOES_NOT_FIT:
                raise
            missed = error
    if missed and not found:
        return missed
    if len(found) < 2:
        return found[0]
    plain, other = (_cost(graph, one, part, constraints) for one in found)
    return found[other < (1 - GAIN) * plain]


def _cost(graph: Graph, found: Folding, part: Part, constraints: Constraints) -> int:
    """What is to be small: LUTs at a rate that is given, else the cycles of a frame."""
    made = _made(graph, found, constraints)
    if not constraints.fps:
        return made.cycles
    return estimate.total(made, part.name, constraints.blocks or part.ram_blocks)["luts"]


def _wired(graph: Graph, constraints: Constraints) -> Folding:
    """No folding at all, in as many stages as the clock asks for and the latency leaves; EdgeTernaryError
    (code 5) for no clock left, too many weights, a clock that more stages would take than there are, or more
    frames a second than the input comes in with."""
    graph.check_single("a latency in clocks", "leave out --latency")
    bits, part = _input_bits(graph), PARTS.get(constraints.device)
    if part and not constraints.embedded and bits > (most := part.pins - bool(graph.states)):
        bits = most
    clock = constraints.clock or (part.clock if part else CLOCK)
    period = part.period(clock) if part else 1000 / clock
    fabric = family(constraints.device or "ice40").name
    found = Folding(cycles=1, input_bits=bits, wired=True, period=period, fabric=fabric)
    if why := why_not(graph, part.luts) if part else why_not(graph):
        raise _late(graph, constraints, why)
    made = build(graph, found)
    stages = max(depth(made.top.parts), 1)
    most = constraints.latency - (made.latency - stages)
    if most < 1:
        least = made.latency - stages + 1
        why = f"its input, its layers and the registers around them take at least {least}"
        raise _late(graph, constraints, why)
    if stages > most:
        if constraints.clock:
            why = f"at {clock:g} MHz it takes {made.latency}"
            raise _late(graph, constraints, why)
        found = replace(found, stages=most)
    if part:
        made = _made(graph, found, constraints)
        keeps_rate(made, part, constraints)
        check_size(made, part, constraints)
    return found


def _late(graph: Graph, constraints: Constraints, why: str) -> EdgeTernaryError:
    what = f"{graph.name} cannot answer within {constraints.latency} clocks"
    return EdgeTernaryError(what, why, "", DOES_NOT_FIT)


def _at(
    graph: Graph,
    part: Part,
    constraints: Constraints,
    cycles: int,
    padded: bool,
    wide: bool,
    wires: Names = (),
) -> Folding:
    kept = family(part.name).output_registers
    pins = max(part.pins // len(graph.inputs), 1)
    found = fold(graph, cycles=cycles, input_bits=pins, kept=kept, padded=padded, wide=wide, wires=wires)
    return replace(found, period=part.period(constraints.clock), fabric=part.family)


def _keeping(
    graph: Graph, part: Part, constraints: Constraints, padded: bool, wide: bool, wires: Names = ()
) -> Folding:
    """The cheapest folding that keeps the rate."""
    wanted = max(cycles_at(part, constraints), 1)
    found = _leaving(
        graph, _at(graph, part, constraints, wanted, padded, wide, wires), part, constraints, wanted
    )
    made = _made(graph, found, constraints)
    keeps_rate(made, part, constraints)
    check_size(made, part, constraints)
    return found


def _leaving(graph: Graph, found: Folding, part: Part, constraints: Constraints, wanted: int) -> Folding:
    """The folding whose answer leaves in fewer beats, as far as it alone keeps a frame from taking `wanted`
    cycles and pins are left beside those of the input."""
    if graph.several:
        return found
    value = graph.output_value
    if constraints.bytewise or constraints.embedded or value.size * answer_bytes(value) + 2 < wanted:
        return found  # as bytes it keeps up in any case
    for beat in (2, 4):
        made = build(graph, found, answer=True)
        bits = made.i_lanes * made.i_element.width
        more = answer_bytes(graph.output_value) % beat == 0 and bits + 8 * (beat - 1) <= part.pins
        if made.cycles <= wanted or made.o_beats < made.cycles or not more:
            break
        found = replace(found, answer_bytes=beat)
    return found


def _fastest(
    graph: Graph, part: Part, constraints: Constraints, padded: bool, wide: bool, wires: Names = ()
) -> Folding:
    """The fastest folding that fits, by bisection over paces STEP apart; without `maximize` none faster
    than the default one."""
    default = fold(graph, input_bits=part.pins if constraints.embedded else 0, padded=padded).cycles
    slowest = max(default, sum(m.cycles(1, 1) for m in matrices(prepared(graph, padded)).values()))
    paces = [slowest]
    while paces[-1] > (1 if constraints.maximize else default):
        paces.append(max(int(paces[-1] * STEP), 1 if constraints.maximize else default))

    def at(pace: int) -> Folding:
        return _at(graph, part, constraints, pace, padded, wide, wires)

    if constraints.single_port_rams:  # words must be neither wider nor much narrower than those: no bisection
        smallest = _made(graph, at(paces[0]), constraints)
        if estimate.least(smallest, part.name) > limits(part, constraints)["luts"]:
            check_size(smallest, part, constraints)
        tries = (made for made, _ in groupby(at(pace) for pace in reversed(paces)))
        found = next((f for f in tries if _fits(graph, f, part, constraints)), at(paces[0]))
        check_size(_made(graph, found, constraints), part, constraints)
        return _widest(graph, found, part, constraints)
    found, faster = at(paces[0]), len(paces)
    check_size(_made(graph, found, constraints), part, constraints)
    best = 0
    while faster - best > 1:
        middle = (best + faster) // 2
        tried = at(paces[middle])
        if _fits(graph, tried, part, constraints):
            best, found = middle, tried
        else:
            faster = middle
    return _widest(graph, found, part, constraints)


def _widest(graph: Graph, found: Folding, part: Part, constraints: Constraints) -> Folding:
    """Where as many frames as fit are asked for, the answer leaves in as few beats as help and fit."""
    wider = _leaving(graph, found, part, constraints, 0) if constraints.maximize else found
    return wider if wider == found or _fits(graph, wider, part, constraints) else found


def _made(graph: Graph, found: Folding, constraints: Constraints) -> Design:
    made = build(graph, found, answer=not constraints.embedded and not graph.several)
    return replace(made, single_port_rams=constraints.single_port_rams)


def _fits(graph: Graph, found: Folding, part: Part, constraints: Constraints) -> bool:
    made = _made(graph, found, constraints)
    most = limits(part, constraints, depth(made.top.parts) > 0)
    if estimate.least(made, part.name) > most["luts"]:
        return False
    needs = estimate.total(made, part.name, constraints.blocks or part.ram_blocks)
    return all(needs[word] <= count for word, count in most.items())


def design(graph: Graph, constraints: Constraints, memories: str = "") -> Design:
    """The core (stream of numbers out), or for a device the design that goes onto it (stream of bytes out).

    Memories are placed for the device as `hdl.memory` says, or for `memories`, another device or family. What
    does not fit otherwise gets its weights in single-port RAM, if the part has some, and a loader.
    EdgeTernaryError: code 5 for what is out of reach (`hints.design` says what is not), code 2 for
    constraints that exclude each other.
    """
    refuse_contradictions(constraints)
    part = PARTS.get(constraints.device)
    rams = part.single_port_rams if part else 0
    most = rams if constraints.single_port_rams < 0 else min(rams, constraints.single_port_rams)
    found, constraints = _found(graph, constraints, most)
    made = build(
        graph, found, answer=bool(constraints.device) and not constraints.embedded and not graph.several
    )
    if not constraints.device:
        return made
    made = replace(made, single_port_rams=constraints.single_port_rams)
    target = memories or constraints.device
    chosen = PARTS.get(target)
    available = constraints.blocks or (chosen.ram_blocks if chosen else None)
    single_port = 0 if memories else made.single_port_rams
    return with_loader(memory.placed(made, family(target), available, single_port))
