"""The plan of a generated model: which kernels run, on which buffers, and where these lie."""

from dataclasses import dataclass
from functools import cached_property

from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout
from edgeternary.cores import Core
from edgeternary.ir import Graph, IntArray, Op, Value

Data = bytes  # the type, where a property has its name


@dataclass(frozen=True)
class Buffer:
    """A value in one layout. `copy` tells a copy in the arena from the original outside it."""

    value: Value
    layout: Layout
    copy: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.value.name, self.layout, self.copy)))

    def __hash__(self) -> int:
        """Computed once: the search asks for it millions of times."""
        return self._hash  # type: ignore[attr-defined]

    @property
    def bytes(self) -> int:
        return self.layout.size(self.value)


@dataclass(frozen=True, eq=False)
class Step:
    """One function call of the generated code (none for an alias).

    match.ops is empty for a conversion between layouts.
    """

    kernel: Kernel
    match: Match
    offer: Offer
    ins: tuple[Buffer, ...]
    out: Buffer

    @property
    def ops(self) -> tuple[Op, ...]:
        return self.match.ops

    @property
    def layer(self) -> str:
        """Name of the layer that does the work; of the converted value for a conversion."""
        return self.match.ops[0].name if self.match.ops else self.out.value.name

    @cached_property
    def body(self) -> Body:
        return self.kernel.body(self.match, self.offer)

    @property
    def table_bytes(self) -> int:
        """Bytes of weights, thresholds and other constants."""
        return sum(int(table.data.nbytes) for table in self.body.tables)


@dataclass(frozen=True)
class Tap:
    """A value that the generated code can show after the step that made it, in its layout."""

    value: Value
    layout: Layout

    @property
    def bytes(self) -> int:
        return self.layout.size(self.value)

    def decode(self, data: Data) -> IntArray:
        """int32 codes of shape `value.shape` from the tapped memory."""
        return self.layout.decode(data, self.value)


@dataclass(frozen=True)
class Place:
    """Where a buffer lies: kind 'in', 'out' or 'state' and the value's name, or 'arena' and the offset."""

    kind: str
    offset: int = 0
    name: str = ""


def fixed_ram(graph: Graph) -> int:
    """Bytes of the states, the inputs and the outputs, which no choice of kernels changes."""
    values = [*graph.inputs, *graph.output_values, *(state.value for state in graph.states)]
    return sum(Buffer(value, NATURAL).bytes for value in values)


@dataclass(frozen=True)
class Plan:
    """Everything that rendering needs, and what reports show.

    steps     kernels in order
    places    where each buffer lies
    scratch   arena offset of the scratch memory of each step that has some
    arena     bytes of the arena
    """

    graph: Graph
    core: Core
    steps: tuple[Step, ...]
    places: dict[Buffer, Place]
    scratch: dict[Step, int]
    arena: int

    @property
    def calls(self) -> list[Step]:
        """Steps that become functions; the index in this list is the <index> of net_<index>_<layer>."""
        return [step for step in self.steps if not step.offer.alias]

    @cached_property
    def taps(self) -> list[Tap]:
        """Taps by index: the value of each step with ops, in order. Conversions show nothing new."""
        return [Tap(step.out.value, step.out.layout) for step in self.calls if step.ops]

    @property
    def cycles(self) -> float:
        """Estimated cycles of one inference."""
        return sum(step.offer.cost.cycles for step in self.calls)

    @property
    def flash_bytes(self) -> int:
        """Estimated bytes of constants and code."""
        return sum(step.offer.cost.flash for step in self.calls)

    @cached_property
    def tables(self) -> tuple[int, ...]:
        """Bytes of constants that each call brings; one that equals an earlier one may stand once."""
        known: set[tuple[str, Data]] = set()
        found = []
        for step in self.calls:
            own = 0
            for table in step.body.tables:
                contents = (table.ctype, table.data.tobytes())
                own += 0 if table.once and contents in known else int(table.data.nbytes)
                if table.once:
                    known.add(contents)
            found.append(own)
        return tuple(found)

    @property
    def ram_bytes(self) -> int:
        """Arena, states, input, output, and code that runs from RAM; the stack comes on top."""
        code = sum(step.offer.cost.flash for step in self.calls if step.offer.from_ram)
        return self.arena + fixed_ram(self.graph) + code

    def summary(self) -> list[dict[str, str | int | float]]:
        """One row a call: name, kernel, ops, layout, bytes of tables, output, scratch; estimated cycles."""
        return [
            {
                "name": step.layer,
                "kernel": step.kernel.name,
                "ops": "+".join(op.kind for op in step.ops) or "convert",
                "layout": step.out.layout.name,
                "table_bytes": step.table_bytes,
                "output_bytes": step.out.bytes,
                "scratch_bytes": step.offer.scratch,
                "estimated_cycles": round(step.offer.cost.cycles),
            }
            for step in self.calls
        ]
