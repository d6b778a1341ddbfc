"""An engine: the parts that the layers of a group share, and how their vectors come in and go out in turn."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from edgeternary.described import Described
from edgeternary.hdl.builder import Builder, Wire
from edgeternary.ir import Graph, Op
from edgeternary_hw.element import Element
from edgeternary_hw.join import Concat
from edgeternary_hw.turns import Turns

SHARES = " + "  # in the name of a matrix that layers share: the first of them, then how many more
Turn = tuple[Op, ...]  # layers in a row: the first takes a stream, the last gives one


@dataclass(frozen=True)
class Ends:
    """Beats that come into shared parts, `lanes` numbers of `source` each, and that go out: `outputs` of
    `target`."""

    source: Element
    lanes: int
    target: Element
    outputs: int


class Engine(Described, abstract=True):
    """Concat, the parts that all turns share, Turns."""

    def __init__(self, b: Builder, turns: list[Turn]) -> None:
        self.b, self.turns, self.at = b, turns, self.ends(b, turns)
        self.size, self.given = b.graph.ins(turns[0][0])[0].size, b.graph.values[turns[0][-1].name].size
        count = len(turns)
        self.name = f"{turns[0][0].name}{SHARES}{count - 1}"
        self.entry = Concat(self.at.lanes * self.at.source.width, [self.size // self.at.lanes] * count)
        self.exit = Turns(self.at.outputs * self.at.target.width, [self.given // self.at.outputs] * count)

    @classmethod
    @abstractmethod
    def turn(cls, graph: Graph, op: Any) -> Turn:
        """The layers of a turn that begins with `op`, which reads a vector; () for none."""

    @classmethod
    @abstractmethod
    def alike(cls, graph: Graph, turn: Turn) -> object:
        """What turns of one group have in common."""

    @classmethod
    @abstractmethod
    def ends(cls, b: Builder, turns: list[Turn]) -> Ends:
        """The beats that come in and go out."""

    @abstractmethod
    def parts(self) -> list[tuple[str, Any, int]]:
        """(role, part, cycles a turn) of those that all turns share, in order."""

    def take(self, k: int, wire: Wire) -> None:
        """Connects input k; after the last one the parts are added."""
        b, name = self.b, self.turns[k][0].name
        wire = b.adapt(b.recode(wire, self.at.source, name), self.at.lanes, name)
        b.connect(wire.port, self.entry, f"i{k}")
        if k < len(self.turns) - 1:
            return
        chain = [
            ("turns", self.entry, self.size // self.at.lanes),
            *self.parts(),
            ("deal", self.exit, self.given // self.at.outputs),
        ]
        before: Any = None
        for role, part, cycles in chain:
            b.part(part, self.name, role, cycles * len(self.turns))
            if before is not None:
                b.connect(before.o, part)
            before = part

    def give(self, k: int) -> Wire:
        value = self.b.graph.values[self.turns[k][-1].name]
        return Wire(getattr(self.exit, f"o{k}"), self.at.target, self.at.outputs, value)
