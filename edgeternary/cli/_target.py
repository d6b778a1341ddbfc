"""Options of the verbs that talk to a board, and the board they mean: at a port, or emulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeternary.cli._record import record, titled
from edgeternary.errors import USAGE, EdgeTernaryError

if TYPE_CHECKING:
    from edgeternary.link.build import Build

SLACK = 4.0  # times the estimated run time that a board may take


@dataclass(frozen=True)
class Place:
    """Where a board is: at a port, or in an emulator.

    bitstream  with `emulate`: the packed file itself is simulated;  baud  of the port; None: the board's
    """

    port: str | None = None
    emulate: bool = False
    bitstream: bool = False
    baud: int | None = None


target_options = record(
    "place",
    Place,
    *titled(
        "Board",
        click.option("--port", help="Its serial port: /dev/ttyACM0, COM3, unix:PATH."),
        click.option("--emulate", is_flag=True, help="Run the image in an emulator, without board."),
        click.option("--bitstream", is_flag=True, help="--emulate, iCE40: simulate the packed bitstream."),
        click.option("--baud", type=click.IntRange(300, 10_000_000), help="Baud rate; default: the board's."),
    ),
)


@dataclass(frozen=True)
class Target:
    """A board that answers. port: its name; by: port, or the emulator; options: of executor serial."""

    port: str
    by: str
    options: dict[str, object]

    @property
    def executor(self) -> str:
        return f"serial:{self.port}"


@contextmanager
def target(build: Build | None, place: Place) -> Iterator[Target]:
    """The board that --port or --emulate means, for as long as the block lasts.

    build  whose digest the board must have; None takes any board at --port
    """
    if bool(place.port) == place.emulate or (place.bitstream and not place.emulate):
        raise EdgeTernaryError(
            "name one board",
            "--port is the serial port of a real one, --emulate needs none; --bitstream goes with --emulate",
            "for example --port /dev/ttyACM0; edgeternary doctor lists ports",
            USAGE,
        )
    options: dict[str, object] = {}
    if build is not None:
        uart = build.board.uart
        options = {"digest": build.digest, "baud": uart.baud if uart else 0, "patience": _patience(build)}
    if place.baud:
        options["baud"] = place.baud
    if place.port:
        yield Target(place.port, "port", options)
        return
    if build is None:
        raise EdgeTernaryError(
            "--emulate needs a build",
            "an image is what is emulated",
            "name the folder of compile --board",
            USAGE,
        )
    from edgeternary.emulate import emulated

    with emulated(build, place.bitstream) as board:
        yield Target(board.port, board.by, {**options, "patience": board.patience})


def build_of(text: str, needed: bool = False) -> Build | None:
    """The build in the folder `text`; None where it is a model's name or file, unless a build is needed."""
    from edgeternary.link.build import read_build

    path = Path(text)
    return read_build(path) if needed or path.is_dir() else None


def _patience(build: Build) -> float:
    """Seconds that a run may take on the board, from the estimate of its cycles."""
    estimates = build.report.get("estimates", {})
    cycles = float(estimates.get("cycles") or estimates.get("estimated_cycles") or 0)
    return SLACK * cycles / build.board.clock_hz
