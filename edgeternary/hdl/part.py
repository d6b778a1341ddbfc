"""What the back end knows of a hardware part, and of a layer that is made of parts.

A file in `parts/` defines one class: a Part (what a component of edgeternary_hw costs and how long it takes),
a Layer (how an op is built), or both; or a WiredLayer (what an op is as wires). What is not defined is an
error at import.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from edgeternary.described import Described
from edgeternary.hdl.builder import Builder, Mask, Wire
from edgeternary.hdl.engine import Engine
from edgeternary.hdl.fold import Fold, Matrix
from edgeternary.hdl.times import Times
from edgeternary.ir import Graph, Op, Value
from edgeternary_hw import Circuit, Number

C = TypeVar("C")
O = TypeVar("O", bound=Op)  # noqa: E741


@dataclass(frozen=True)
class Area:
    """LUTs (LUT4 cells before packing) and flip-flops of a part, without its memories.

    alone    LUTs on a fabric whose carry cells only add, see Family.lone_carry; None: as many
    shifted  flip-flops that follow flip-flops, so that each has a logic cell to itself
    carries  logic cells that only begin, go on with or end a carry chain
    """

    luts: float
    ffs: float
    alone: float | None = None
    shifted: int = 0
    carries: int = 0


class Network(Protocol):
    """A design whose parts send in turn, step by step: `hdl.loops.Network`, as a description sees it.

    inputs  by part (its id) and input: the part and output that feed it
    last    what each part (its id) has sent last
    """

    inputs: dict[int, dict[str, tuple[Any, str]]]
    last: dict[int, Times | None]

    def at(self, part: Any, port: str = "") -> Times | None:
        """The times at which a part sends the beats of this step; None for any."""

    def passed(self, part: Any, description: Part[Any]) -> Times | None:
        """The times at which a part sends what all its inputs bring."""


class Part(Described, Generic[C], abstract=True):
    """The description of a component.

    hardware    its class
    times_vary  its outputs send at different times
    """

    hardware: ClassVar[type]
    times_vary: ClassVar[bool] = False

    @abstractmethod
    def area(self, part: C) -> Area:
        """What it is made of. The formulas count it; synthesis is not asked."""

    @abstractmethod
    def times(self, part: C, ins: list[Times], last: Times | None) -> Times:
        """The cycles in which it sends the beats of a frame, when nothing that follows it pauses.

        ins   the cycles in which the beats of its inputs arrive, in the order of the inputs' names
        last  what it returned for the frame before, None for the first one
        """

    def lengths(self, part: C, ins: Sequence[Times | None]) -> list[int]:
        """Beats of each input, where those that are None are not known: as many as the known ones have."""
        return [next(len(times) for times in ins if times is not None)] * len(ins)

    def sent(self, network: Network, part: C, port: str) -> Times | None:
        """The cycles in which the output `port` sends in this step; None: at any time."""
        return network.passed(part, self)


class Answers(Enum):
    """When the answers of a layer come, and what it takes before."""

    ELEMENTWISE = "each number of the answer depends on one number of the only input, and the order stays"
    PLAIN = "an answer comes with the beats that it depends on"
    LATE = "an answer comes later, within the frame: the layer holds what came in until then"
    IN_TURN = "some channels are taken before others"


@dataclass(frozen=True)
class Arrival:
    """How the inputs of a layer arrive.

    lanes  channels a beat of each input; 0: any number
    fold   of a layer with weights
    """

    ins: tuple[Value, ...]
    out: Value
    lanes: tuple[int, ...]
    fold: Fold | None

    @property
    def common(self) -> int:
        """Channels a beat that all inputs can have."""
        return math.gcd(*self.lanes)

    @property
    def kept(self) -> int:
        """As many channels a beat for the answer, as far as they divide its channels."""
        return math.gcd(self.common, self.out.channels) if self.common else 0


class Layer(Described, Generic[O], abstract=True):
    """The description of an op: how it is built of parts.

    kind     of the op
    answers  when its answers come
    shared   how several layers go through the same parts, see hdl.turns; None: they do not
    pads     what it reads may have further channels, see hdl.passes.pad
    """

    kind: ClassVar[str]
    answers: ClassVar[Answers]
    shared: ClassVar[type[Engine] | None] = None
    pads: ClassVar[bool] = False

    @abstractmethod
    def build(self, b: Builder, op: O, ins: list[Wire]) -> Wire:
        """Adds the parts of the layer to a design; returns the stream of its answer."""

    @abstractmethod
    def lanes(self, op: O, at: Arrival) -> int:
        """Channels a beat of the answer; 0: any number."""

    def matrix(self, op: O, x: Value, y: Value) -> Matrix | None:
        """The products of an op that reads x and gives y, which are folded; None: it has no weights."""
        return None

    def widened(self, op: O, x: Value, y: Value, mask: Mask) -> O:
        """The op where the values x that it reads and y that it gives have further channels: those at which
        `mask` is not set. Ops without a number for each channel stay as they are."""
        return op

    def refusal(self, op: O, graph: Graph) -> tuple[str, str] | None:
        """Why this op cannot be built, and the remedy; None where it can."""
        return None


class WiredLayer(Described, Generic[O], abstract=True):
    """The description of an op as wires, see hdl.wired: what it makes of all numbers of a vector at once.

    kind  of the op
    """

    kind: ClassVar[str]

    @abstractmethod
    def nodes(self, circuit: Circuit, op: O, x: list[Number], y: Value) -> list[Number]:
        """The numbers of the answer y, channels last, out of those of the input x."""

    def refused(self, op: O) -> str:
        """Why this op cannot be wired, "" where it can."""
        return ""


def bits(count: int) -> int:
    """Flip-flops of a counter of `count` steps."""
    return (count - 1).bit_length() if count > 1 else 0


def per_bit(part: Any, luts: float, ffs: float) -> Area:
    """LUTs and flip-flops for each bit of the output, and a few for control."""
    return Area(luts * len(part.o.payload) + 8, ffs * len(part.o.payload) + 6)
