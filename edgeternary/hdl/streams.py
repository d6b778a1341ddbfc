"""Streams as layers want them: channels a beat that suit a table or a pace, several streams joined."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.fold import divisors
from edgeternary.ir import Op
from edgeternary_hw.join import Concat, Slice

MAX_ROM_BITS = 2048  # of one word
BRISK = 4  # digit by digit: in a quarter of the pace, since it costs little and an answer waits for it


def whole(b: Builder, op: Op, wire: Wire, table: int = 1) -> Wire:
    """Lanes that divide the channels, so that a beat's channels are always the same ones, and few enough for
    a ROM with `table` bits for each."""
    count = math.gcd(wire.lanes, wire.value.channels)
    return b.adapt(wire, max(d for d in divisors(count) if d == 1 or d * table <= MAX_ROM_BITS), op.name)


def joined(b: Builder, op: Op, ins: list[Wire], part: Any, busy: int) -> Wire:
    """The answer of a part with two inputs of `part.lanes` lanes; it works `busy` cycles a frame."""
    wires = [b.adapt(wire, part.lanes, op.name) for wire in ins]
    b.part(part, op.name, busy=busy)
    b.attach(wires, part)
    return b.output(part, op.name, part.lanes)


def in_turn(b: Builder, op: Op, ins: list[Wire], most: int) -> Wire:
    """Channels of all inputs, one input after the other; a beat has a divisor of `most`."""
    element = stream_element(b.graph.values[op.name])
    count = math.gcd(*(wire.value.channels for wire in ins), most)
    wires = [b.adapt(b.recode(wire, element, op.name), count, op.name) for wire in ins]
    concat = Concat(count * element.width, [w.value.channels // count for w in wires])
    part = b.part(concat, op.name, busy=b.graph.values[op.name].size // count)
    b.attach(wires, part)
    return b.output(part, op.name, count)


def cut(b: Builder, op: Op, wire: Wire, start: int, stop: int) -> Wire:
    """Channels start .. stop - 1, in beats whose size divides the borders: each is kept or dropped whole."""
    width = wire.value.channels
    count = math.gcd(start, stop, width, wire.lanes)
    wire = b.adapt(wire, count, op.name)
    beats = (start // count, (stop - start) // count, (width - stop) // count)
    part = Slice(count * wire.element.width, *beats)
    value = replace(wire.value, shape=(*wire.value.shape[:-1], stop - start))
    return replace(wire, port=b.through(part, wire, op.name, "slice"), value=value)


def brisk(b: Builder, make: Callable[[int], Any], busy: Callable[[Any], int]) -> Any:
    """The part with the fewest digits a cycle that is done in a fraction of the pace, else the fastest."""
    part = make(1)
    while part.speed.steps > 1 and busy(part) * BRISK > b.folding.cycles:
        part._MustUse__silence = True
        part = make(part.speed.digits + 1)
    return part
