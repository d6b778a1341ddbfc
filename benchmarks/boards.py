"""The rows of docs/verified.md: images of models for boards, built and verified in emulators."""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeternary import zoo
from edgeternary.build.project import compile
from edgeternary.cli._output import stopwatch
from edgeternary.cli._target import Place, target
from edgeternary.cli.verify import report, verify
from edgeternary.link.build import read_build

Row = dict[str, Any]
MLP, CNN = "mnist-mlp-binary-64", "mnist-cnn-13k"


@dataclass(frozen=True)
class Entry:
    """A model on a board; bitstream: the packed file itself is simulated."""

    model: str
    board: str
    bitstream: bool = False

    @property
    def name(self) -> str:
        return f"{self.model} on {self.board}{' (bitstream)' * self.bitstream}"


CORES = (
    "stm32vldiscovery", "microbit", "pico", "olimex_stm32_h405", "netduinoplus2", "mps2_an385", "mps2_an386",
    "mps2_an500", "mps2_an505", "mps3_an547",
)  # fmt: skip
TIGHT = ("stm32vldiscovery", "microbit")  # 8 and 16 KB of RAM, and the CNN needs 26
ENTRIES = (
    *(Entry(MLP, board) for board in CORES),
    *(Entry(CNN, board) for board in CORES if board not in TIGHT),
    Entry("mnist-cnn-small", "microbit"),
    *(Entry(MLP, board) for board in ("icebreaker", "ulx3s_12f")),
    Entry(MLP, "icebreaker", True),
)


def merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """Old rows, and new ones in the place of those of the same image."""
    rows = {(row["model"], row["board"], row["by"]): row for row in (*old, *new)}
    return list(rows.values())


def measure(
    entries: Sequence[Entry], samples: int, yosys: str, progress: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """A row for each entry, as soon as it is verified."""
    for number, entry in enumerate(entries, 1):
        progress(f"{number} of {len(entries)}: {entry.name}")
        with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
            yield row(entry, samples, yosys, Path(folder, "build"))


def row(entry: Entry, samples: int, yosys: str, folder: Path) -> dict[str, Any]:
    """Compile and verify one entry with a new seed."""
    with stopwatch() as building:
        compile(zoo.load(entry.model), board=entry.board, build=True, yosys=yosys, directory=folder)
        built = round(building(), 1)
    build, seed = read_build(folder), secrets.randbelow(2**31)
    with target(build, Place(emulate=True, bitstream=entry.bitstream)) as board, stopwatch() as seconds:
        found = verify(build, board, samples, seed, None)
        content = report(build, board, found, seed, seconds())
    return {**content, "luts": build.figure("luts"), "core": build.board.core, "build_seconds": built}
