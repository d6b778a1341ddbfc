"""The parts table: which builder makes the hardware of which op."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import stream_element
from edgeternary.hdl.folding import lanes
from edgeternary.hdl.frames import pack, payloads
from edgeternary.hdl.matrix import conv2d, dense
from edgeternary.hdl.pad import Filled, divisors
from edgeternary.hdl.together import Deal
from edgeternary.ir import Op
from edgeternary.ops import Gather, Lookup, MaxPool, Requantize, Reshape, RmsNorm, Slice, SumPool, Threshold
from edgeternary_hw import Add as AddPart
from edgeternary_hw import ArgMax, Element, Fill, Multiply, Pick, Row
from edgeternary_hw import Concat as ConcatPart
from edgeternary_hw import Lookup as LookupPart
from edgeternary_hw import MaxPool as MaxPoolPart
from edgeternary_hw import Requantize as RequantizePart
from edgeternary_hw import RmsNorm as RmsNormPart
from edgeternary_hw import Slice as SlicePart
from edgeternary_hw import SumPool as SumPoolPart
from edgeternary_hw import Threshold as ThresholdPart


def threshold(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """Compared with all thresholds at once where there are few, else by binary search: with one comparator
    where the pace allows it, with one for each bit of the count where not.
    """
    assert isinstance(op, Threshold)
    t = op.t.astype(np.int64)
    wire = _whole(b, op, ins[0], t.shape[1] * ins[0].element.width)
    if wire.affine:
        t = wire.affine.limits(t)
    levels = int(t.shape[1]).bit_length()
    beats = wire.value.size // wire.lanes
    mode = "parallel" if t.shape[1] <= PARALLEL else "tree"
    kept = b.folding.kept
    if t.shape[1] > 1 and beats * ((2 + kept) * levels + 2) <= b.folding.cycles:
        mode = "serial"
    part = ThresholdPart(
        t.tolist(),
        op.base.tolist(),
        op.step.tolist(),
        wire.element,
        stream_element(b.graph.values[op.name]),
        lanes=wire.lanes,
        mode=mode,
        kept=kept and mode == "serial",
    )
    b.through(part, wire, op.name, busy=beats * part.interval)
    return b.output(part, op.name, wire.lanes)


def requantize(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    assert isinstance(op, Requantize)
    wire = _whole(b, op, ins[0])
    target = stream_element(b.graph.values[op.name])
    b.through(part := requantize_part([op], wire.element, target, wire.lanes), wire, op.name)
    return b.output(part, op.name, wire.lanes)


def requantize_part(
    ops: Sequence[Requantize], source: Element, target: Element, count: int
) -> RequantizePart:
    """Vectors of one size by the tables of `ops` in turn; these differ in nothing else."""
    m, b, s = (np.concatenate([getattr(op, name) for op in ops]).astype(np.int64) for name in "mbs")
    first = ops[0]
    if first.rounding != "floor":
        b += np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    bounds = (first.lo, first.hi)
    return RequantizePart(m.tolist(), b.tolist(), s.tolist(), first.zero, bounds, source, target, lanes=count)


def lookup(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    assert isinstance(op, Lookup)
    wire = ins[0]
    target = stream_element(b.graph.values[op.name])
    part = LookupPart(op.table.tolist(), op.offset, wire.element, target, lanes=wire.lanes)
    b.through(part, wire, op.name)
    return b.output(part, op.name, wire.lanes)


def max_pool(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    assert isinstance(op, MaxPool)
    wire = _pooled(b, op, ins[0], op.kernel)
    part = MaxPoolPart(
        wire.element,
        lanes=wire.lanes,
        size=(wire.value.shape[0], wire.value.shape[1]),
        channels=wire.value.channels,
        kernel=op.kernel,
        stride=op.stride,
        pad=op.pad,
        minimum=op.minimum.tolist(),
    )
    b.through(part, wire, op.name, busy=_pool_busy(part, wire))
    return b.output(part, op.name, wire.lanes, wire.element)


def sum_pool(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    assert isinstance(op, SumPool)
    wire = _pooled(b, op, ins[0], op.kernel)
    part = SumPoolPart(
        wire.element,
        stream_element(b.graph.values[op.name]),
        lanes=wire.lanes,
        size=(wire.value.shape[0], wire.value.shape[1]),
        channels=wire.value.channels,
        kernel=op.kernel,
        stride=op.stride,
    )
    b.through(part, wire, op.name, busy=_pool_busy(part, wire))
    return b.output(part, op.name, wire.lanes)


def _pool_busy(part: MaxPoolPart | SumPoolPart, wire: Wire) -> int:
    window = part.window
    return max(window.out_height * window.out_width * window.steps, wire.value.size // wire.lanes)


def add(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    count = math.gcd(ins[0].lanes, ins[1].lanes)
    target = stream_element(b.graph.values[op.name])
    part = AddPart(ins[0].element, ins[1].element, target, lanes=count)
    return _joined(b, op, ins, part, count, b.graph.values[op.name].size // count)


def mul(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """Products by shifts and additions, as many digits a cycle as the pace asks for."""
    count = math.gcd(ins[0].lanes, ins[1].lanes)
    beats = b.graph.values[op.name].size // count

    def make(digits: int) -> Multiply:
        first, second = (wire.element for wire in ins)
        target = stream_element(b.graph.values[op.name])
        return Multiply(first, second, target, lanes=count, digits=digits)

    part = _brisk(b, make, lambda part: beats * part.speed.steps)
    wire = _joined(b, op, ins, part, count, beats * part.speed.steps)
    return b.buffered(wire, op.name, "buffer") if b.folding.kept else wire


def gather(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """The table in ROM, read word by word."""
    assert isinstance(op, Gather)
    width = op.table.shape[1]
    count = lanes(width, width, b.folding.cycles // BRISK)
    target = stream_element(b.graph.values[op.name])
    part = Row(op.table.tolist(), ins[0].element, target, lanes=count)
    b.through(part, ins[0], op.name, busy=part.beats)
    return b.output(part, op.name, count)


def rms_norm(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """One number after the other; as many digits a cycle as the pace asks for."""
    assert isinstance(op, RmsNorm)
    wire = b.adapt(ins[0], 1, op.name)
    channels, most = wire.value.channels, max(abs(wire.value.lo), abs(wire.value.hi))
    vectors = wire.value.size // channels

    part = norm_part(b, wire.element, channels, most, vectors)
    b.through(part, wire, op.name, busy=vectors * part.interval)
    return b.output(part, op.name, 1)


def norm_part(b: Builder, element: Element, channels: int, most: int, vectors: int = 1) -> RmsNormPart:
    """For numbers within [-most, most]."""

    def make(digits: int) -> RmsNormPart:
        return RmsNormPart(element, channels, most, digits=digits)

    return _brisk(b, make, lambda part: vectors * part.interval * 2 // BRISK)  # two passes and more


def _brisk(b: Builder, make: Callable[[int], Any], busy: Callable[[Any], int]) -> Any:
    """The part with the fewest digits a cycle that is done in a fraction of the pace, else the fastest."""
    found = make(1)
    while found.speed.steps > 1 and busy(found) * BRISK > b.folding.cycles:
        found._MustUse__silence = True
        found = make(found.speed.digits + 1)
    return found


def deal(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """Its share of every beat of a matrix that several layers share: only wires."""
    assert isinstance(op, Deal)
    wire = ins[0] if ins[0].lanes % op.count == 0 else b.adapt(ins[0], op.count, op.name)
    part = Pick(wire.element.width, wire.lanes, op.index, op.count)
    b.through(part, wire, op.name)
    return b.output(part, op.name, wire.lanes // op.count, wire.element)


def fill(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """Constants after a vector whose length has no useful divisors, see hdl.pad."""
    assert isinstance(op, Filled)
    wire = b.adapt(ins[0], math.gcd(ins[0].lanes, op.value.size), op.inputs[0])
    (code,) = payloads(pack(np.array([[op.code]]), wire.element, 1))
    part = Fill(wire.element.width, wire.lanes, op.real, op.value.size, code)
    b.through(part, wire, op.inputs[0], "fill", busy=part.beats)
    return b.output(part, op.name, wire.lanes, wire.element)


def concat(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    return _in_turn(b, op, ins, max(wire.lanes for wire in ins))


def shift(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """The oldest channels of the first input are swallowed; the second input follows the others."""
    old, new = ins
    kept = _cut(b, op, old, new.value.channels, old.value.channels)
    return _in_turn(b, op, [kept, new], max(old.lanes, new.lanes))


def slice_(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    assert isinstance(op, Slice)
    return _cut(b, op, ins[0], op.start, op.stop)


def _cut(b: Builder, op: Op, wire: Wire, start: int, stop: int) -> Wire:
    """Channels start .. stop - 1, in beats whose size divides the borders: each is kept or dropped whole."""
    width = wire.value.channels
    count = math.gcd(start, stop, width, wire.lanes)
    wire = b.adapt(wire, count, op.name)
    beats = (start // count, (stop - start) // count, (width - stop) // count)
    part = SlicePart(count * wire.element.width, *beats)
    value = replace(wire.value, shape=(*wire.value.shape[:-1], stop - start))
    return replace(wire, port=b.through(part, wire, op.name, "slice"), value=value)


def _in_turn(b: Builder, op: Op, ins: list[Wire], most: int) -> Wire:
    """Channels of all inputs, one input after the other."""
    element = stream_element(b.graph.values[op.name])
    count = math.gcd(*(wire.value.channels for wire in ins), most)
    wires = [b.adapt(b.recode(wire, element, op.name), count, op.name) for wire in ins]
    joined = ConcatPart(count * element.width, [w.value.channels // count for w in wires])
    part = b.part(joined, op.name, busy=b.graph.values[op.name].size // count)
    b.attach(wires, part)
    return b.output(part, op.name, count)


def reshape(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """The order of the elements stays, so only the number of channels a beat may have to change."""
    assert isinstance(op, Reshape)
    count = math.gcd(ins[0].lanes, op.shape[-1])
    wire = b.adapt(ins[0], count, op.name)
    return Wire(wire.port, wire.element, count, b.graph.values[op.name])


def argmax(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    wire = b.adapt(ins[0], 1, op.name)
    part = ArgMax(wire.element, wire.value.channels, stream_element(b.graph.values[op.name]).width)
    b.through(part, wire, op.name)
    return b.output(part, op.name, 1)


PARTS: dict[str, Callable[[Builder, Op, list[Wire]], Wire]] = {
    "dense": dense,
    "gather": gather,
    "rms_norm": rms_norm,
    "conv2d": conv2d,
    "threshold": threshold,
    "requantize": requantize,
    "lookup": lookup,
    "max_pool": max_pool,
    "sum_pool": sum_pool,
    "add": add,
    "mul": mul,
    "concat": concat,
    "shift": shift,
    "slice": slice_,
    "deal": deal,
    "fill": fill,
    "reshape": reshape,
    "argmax": argmax,
}

PARALLEL = 3  # thresholds that are compared side by side
MAX_ROM_BITS = 2048  # of one word
NORMED = Element("signed", 16)
BRISK = 4  # digit by digit: in a quarter of the pace, since it costs little and an answer waits for it
HOLDING = (
    "dense",
    "conv2d",
    "max_pool",
    "sum_pool",
    "argmax",
    "rms_norm",
)  # these answer later than element by element


def _joined(b: Builder, op: Op, ins: list[Wire], joined: Any, count: int, busy: int) -> Wire:
    """Two streams of `count` lanes into one."""
    wires = [b.adapt(wire, count, op.name) for wire in ins]
    part = b.part(joined, op.name, busy=busy)
    b.attach(wires, part)
    return b.output(part, op.name, count)


def _whole(b: Builder, op: Op, wire: Wire, table: int = 1) -> Wire:
    """Lanes that divide the channels, so that a beat's channels are always the same ones, and few enough for
    a ROM with `table` bits for each."""
    count = math.gcd(wire.lanes, wire.value.channels)
    return b.adapt(wire, max(d for d in divisors(count) if d == 1 or d * table <= MAX_ROM_BITS), op.name)


def _pooled(b: Builder, op: Op, wire: Wire, kernel: tuple[int, int]) -> Wire:
    """As many lanes as reading every window's taps one by one takes to keep the pace."""
    taps = b.graph.values[op.name].size * kernel[0] * kernel[1]
    return b.adapt(wire, lanes(wire.value.channels, taps, b.folding.cycles), op.name)
