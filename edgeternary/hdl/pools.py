"""What the two pools have in common: a window whose taps come one by one, and what they are reduced to."""

from typing import Any, ClassVar, TypeVar

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.folding import lanes
from edgeternary.hdl.part import Answers, Area, Arrival, Layer, Part
from edgeternary.hdl.parts import part_of
from edgeternary.hdl.times import Times
from edgeternary.ops import MaxPool, SumPool
from edgeternary_hw.pool import MaxPool as MaxUnit
from edgeternary_hw.pool import Pooling
from edgeternary_hw.pool import SumPool as SumUnit

O = TypeVar("O", MaxPool, SumPool)  # noqa: E741
U = TypeVar("U", MaxUnit, SumUnit)


class Pool(Layer[O], Part[U], abstract=True):
    """A pool; `bit_luts` for each bit of the answer reduce the taps."""

    answers = Answers.LATE
    bit_luts: ClassVar[int]

    def lanes(self, op: O, at: Arrival) -> int:
        return at.kept

    def area(self, part: U) -> Area:
        window = part_of(part.window).area(part.window)
        bits = len(part.reduce.o.payload)
        luts = window.luts + bits * self.bit_luts + 15
        return Area(luts, window.ffs + 2 * bits + 10, alone=luts * 1.3)

    def times(self, part: U, ins: list[Times], last: Times | None) -> Times:
        """The window's taps, a register, and one for the result."""
        taps = part.window.kernel[0] * part.window.kernel[1]
        before = None if last is None else last - 2
        return part_of(part.window).times(part.window, ins, before)[taps - 1 :: taps] + 2


def pooled(b: Builder, op: MaxPool | SumPool, wire: Wire) -> Wire:
    """As many lanes as reading every window's taps one by one takes to keep the pace."""
    taps = b.graph.values[op.name].size * op.kernel[0] * op.kernel[1]
    return b.adapt(wire, lanes(wire.value.channels, taps, b.folding.cycles), op.name)


def pooling(op: MaxPool | SumPool, wire: Wire, pad: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Pooling:
    """What both components take of the stream and of the window."""
    height, width, channels = wire.value.shape
    return Pooling((height, width), channels, op.kernel, op.stride, pad)


def added(b: Builder, op: MaxPool | SumPool, part: Any, wire: Wire) -> Any:
    """Adds the pool to the design; returns it."""
    window = part.window
    busy = max(window.out_height * window.out_width * window.steps, wire.value.size // wire.lanes)
    b.through(part, wire, op.name, busy=busy)
    return part
