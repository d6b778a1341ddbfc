"""bench --boards: images of models for boards, built and verified in emulators."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeternary.cli._output import note, print_json
from edgeternary.errors import NOT_BIT_EXACT, USAGE, EdgeTernaryError

MLP, CNN = "mnist-mlp-binary-64", "mnist-cnn-13k"
COLUMNS = (
    "model", "board", "by", "samples", "mismatches", "cycles", "flash_bytes", "ram_bytes", "stack_bytes",
    "luts", "seconds",
)  # fmt: skip


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


def bench_boards(
    only: tuple[str, ...], samples: int, yosys: str, rows: Path | None, document: Path | None, as_json: bool
) -> None:
    """Build and verify every entry, or take the rows of a file; print them, or write them as a page.

    EdgeTernaryError (code 4) after all of them where an output differed.
    """
    from edgeternary.bench.boards_page import document as page
    from edgeternary.build.files import write_file
    from edgeternary.report.tables import print_table

    found = json.loads(rows.read_text(encoding="utf-8")) if rows else _measured(only, samples, yosys)
    if document is not None:
        data = document.with_suffix(".json")
        write_file(data, (json.dumps(found, indent=1) + "\n").encode())
        write_file(document, page(found, data.name).encode())
        note(f"wrote {document} and {data}")
    elif as_json:
        print_json(found)
    else:
        print_table(found, COLUMNS)
    wrong = [row for row in found if row["mismatches"]]
    if wrong:
        raise EdgeTernaryError(
            f"{wrong[0]['model']} is not bit-exact on {wrong[0]['board']}",
            f"{wrong[0]['mismatches']} of {wrong[0]['samples']} samples differ: {wrong[0]['difference']}",
            f"edgeternary verify FOLDER --emulate --seed {wrong[0]['seed']}",
            NOT_BIT_EXACT,
        )


def _measured(only: tuple[str, ...], samples: int, yosys: str) -> list[dict[str, Any]]:
    entries = [e for e in ENTRIES if not only or any(word in e.name for word in only)]
    if not entries:
        names = ", ".join(e.name for e in ENTRIES)
        raise EdgeTernaryError("no such image", f"there are {names}", "choose with --only", USAGE)
    rows = []
    for number, entry in enumerate(entries, 1):
        note(f"{number} of {len(entries)}: {entry.name}")
        with tempfile.TemporaryDirectory(prefix="edgeternary-") as folder:
            rows.append(_row(entry, samples, yosys, Path(folder, "build")))
    return rows


def _row(entry: Entry, samples: int, yosys: str, folder: Path) -> dict[str, Any]:
    """Compile and verify one entry with a new seed."""
    import secrets

    from edgeternary import zoo
    from edgeternary.build.project import compile
    from edgeternary.cli._output import stopwatch
    from edgeternary.cli._target import target
    from edgeternary.cli.verify import report, verify
    from edgeternary.link.build import read_build

    with stopwatch() as building:
        compile(zoo.load(entry.model), board=entry.board, build=True, yosys=yosys, directory=folder)
        built = round(building(), 1)
    build, seed = read_build(folder), secrets.randbelow(2**31)
    with target(build, None, True, entry.bitstream, None) as board, stopwatch() as seconds:
        found = verify(build, board, samples, seed, None)
        row = report(build, board, found, seed, seconds())
    return {**row, "luts": build.figure("luts"), "core": build.board.core, "build_seconds": built}
