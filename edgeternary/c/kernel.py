"""What a kernel is: one way to run a pattern of ops, with its layouts, preconditions and cost.

A kernel is a file in `kernels/` that defines one class of Kernel, and a template of the same name in
`templates/c/kernels/`; a conversion of layouts is in `kernels/conversions/` of both. A template
`<kernel>.<core>.c.j2` beside it is preferred for that core.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from edgeternary.c.layouts import Layout
from edgeternary.c.tables import Table
from edgeternary.cores import Core
from edgeternary.described import Described
from edgeternary.ir import Op, Value


@dataclass(frozen=True)
class Match:
    """Ops that form a pattern, each the only reader of the one before.

    ins       values that the first op reads
    outs      the value of each op; the last one is the result
    arriving  for each of `ins` the layouts in which it is in memory already
    wanted    layouts in which a kernel of some reader of the result could read it
    """

    ops: tuple[Op, ...]
    ins: tuple[Value, ...]
    outs: tuple[Value, ...]
    core: Core
    arriving: tuple[tuple[Layout, ...], ...] = ()
    wanted: tuple[Layout, ...] = ()

    @property
    def out(self) -> Value:
        return self.outs[-1]

    @property
    def follow(self) -> Op | None:
        """The second op, which a kernel applies to each accumulator, if the pattern has one."""
        return self.ops[1] if len(self.ops) > 1 else None


@dataclass(frozen=True)
class Cost:
    """An estimate for one inference, in terms of named figures that stand at the top of a kernel's file.

    Their comments give the unit: cycles, bytes, or shares of what the record of a core says, such as
    Core.touch. All are fitted to counts of whole layers; `make bench-calibrate` repeats the counts and
    prints measured / estimated for each kernel. What a single instruction takes is that of the manuals
    which `run/_emulator/timing` names: a load 2 cycles, an addition 1.

    cycles   with code that arrives as fast as the core runs it
    flash    bytes of tables, and of code that grows with the weights
    fetched  bytes of straight-line code that run; loops, which stay in a cache or a prefetch buffer, count 0
    once     bytes of routines that all layers with this kernel share; the selection adds each layer its part
    """

    cycles: float
    flash: int = 0
    fetched: int = 0
    once: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.cycles + other.cycles,
            self.flash + other.flash,
            self.fetched + other.fetched,
            self.once + other.once,
        )


@dataclass(frozen=True)
class Offer:
    """A kernel's offer to run a match.

    ins, out  layouts that it reads and makes
    scratch   bytes of arena that it needs while it runs
    in_place  inputs whose memory its output may start at
    alias     no code at all: the output is the input's memory
    from_ram  the code runs from RAM; set by the selection, never by a kernel
    variant   which of several ways with these layouts it is; "" where there is one
    """

    ins: tuple[Layout, ...]
    out: Layout
    cost: Cost
    scratch: int = 0
    in_place: tuple[int, ...] = ()
    alias: bool = False
    from_ram: bool = False
    variant: str = ""


@dataclass(frozen=True)
class Body:
    """What a kernel hands to its template.

    tables  constants that the function reads
    fields  everything else that the template names
    """

    tables: Sequence[Table] = ()
    fields: Mapping[str, object] = field(default_factory=dict)


class Kernel(Described, abstract=True):
    """One way to run the ops of a pattern.

    code    bytes of a step's function that its cost leaves out, as `make bench-calibrate` measures them
    folder  of its template in templates/c
    """

    name: ClassVar[str]
    code: ClassVar[int] = 0
    folder: ClassVar[str] = "kernels"
    patterns: ClassVar[tuple[tuple[str, ...], ...]]

    @abstractmethod
    def offers(self, match: Match) -> Iterator[Offer]:
        """Ways to run `match`; none where a precondition does not hold."""

    def reason(self, match: Match) -> str:
        """Why there are no offers, for a reader who may expect some; else empty."""
        return ""

    @abstractmethod
    def body(self, match: Match, offer: Offer) -> Body:
        """Constants and template fields for an offer that was taken."""


class Conversion(Kernel, abstract=True):
    """A kernel that moves a value from one layout to another, and runs no op."""

    folder: ClassVar[str] = "kernels/conversions"
    patterns = ()

    @abstractmethod
    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        """The offer to do so, or None where this kernel cannot."""

    def offers(self, match: Match) -> Iterator[Offer]:
        yield from ()
