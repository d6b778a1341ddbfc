"""What the readers of foreign files share: the cut, what came of each operator, and all refusals at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph


@dataclass(frozen=True)
class Cut:
    """Where the graph starts and ends: names of operators or tensors of the file; empty: as the file says."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.inputs or self.outputs)


@dataclass(frozen=True)
class Row:
    """What one operator of the file became.

    name    of the operator in the file, or of its first output
    was     its type in the file, such as CONV_2D
    shape, type  of its result in the graph; () and "" where nothing is left of it
    became  names of layers of the graph, comma between; "" where the operator was folded or dropped
    note    what was folded or dropped and why, or which rule of rounding holds
    """

    name: str
    was: str
    shape: tuple[int, ...] = ()
    type: str = ""
    became: str = ""
    note: str = ""


@dataclass
class Imported:
    """A file as a graph.

    graph  the integer graph
    rows   one for each operator of the file, in the file's order
    notes  what holds for the whole model, such as a softmax that was left off
    """

    graph: Graph
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Rows and notes as lists and dictionaries, for JSON."""
        rows = [{**asdict(row), "shape": list(row.shape)} for row in self.rows]
        return {"model": self.graph.name, "layers": rows, "notes": self.notes}


class Refusals:
    """Collects what cannot be kept, so that a reader names everything at once.

    refusals = Refusals("kws.tflite")
    for operator in operators:
        with refusals.of(operator.name):
            lower(operator)
    refusals.check()
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: dict[str, EdgeTernaryError] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Keeps an EdgeTernaryError of the block, as that of the operator `name`."""
        try:
            yield
        except EdgeTernaryError as error:
            self.errors.setdefault(name, error)

    def check(self) -> None:
        """EdgeTernaryError (code 1) that names every operator that was refused, if any was."""
        if not self.errors:
            return
        lines = "".join(f"\n  {name}: {error}" for name, error in self.errors.items())
        count = len(self.errors)
        raise EdgeTernaryError(
            f"{count} operator{'s' * (count != 1)} of {self.file} cannot be kept exactly:{lines}",
            remedy="\nA part of the model can be taken: --from and --until name the operators at its ends",
        )


def model_name(path: Path) -> str:
    """The name of a model that comes from a file without one: what stands before the file's suffix."""
    printable = "".join(letter for letter in path.stem if letter.isprintable())
    return printable[:100] or "model"
