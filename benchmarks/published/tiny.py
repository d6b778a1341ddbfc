"""MLPerf Tiny as records: published/tiny.toml, and our networks beside it in tiny_nets.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent
NETS = FOLDER.parent / "tiny_nets.toml"
Count = tuple[int, int | None, int, int]


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A task; see the head of tiny.toml.

    model  its official file, without .tflite;  asked  the quality that the benchmark asks for
    """

    title: str
    model: str
    asked: str
    silicon: dict[str, float]
    cmsis: dict[str, Count] = {}


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The board of the silicon rows of a core: bytes of its flash and its RAM."""

    name: str
    flash: int
    ram: int


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    boards: dict[str, Board]
    tasks: dict[str, Task]


class Accuracy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An official model on data that can be had; `command` prints the accuracy."""

    task: str
    model: str
    data: str
    accuracy: float
    samples: int
    command: str


class Net(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A network of ours; quality: words in place of an accuracy, such as an AUC."""

    task: str
    name: str
    file: str
    data: str = ""
    accuracy: float | None = None
    samples: int = 0
    quality: str = ""
    command: str = ""


class Ours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    nets: tuple[Net, ...] = ()
    accuracies: tuple[Accuracy, ...] = ()


@cache
def published() -> Published:
    return msgspec.convert(_content(FOLDER / "tiny.toml"), Published)


@cache
def ours() -> Ours:
    return msgspec.convert(_content(NETS), Ours)


def _content(path: Path) -> Any:
    return tomllib.loads(path.read_text(encoding="utf-8"))
