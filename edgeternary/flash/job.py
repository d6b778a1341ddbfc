"""A job (a build that is written to a board), and the record of a programming tool."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgeternary.link.build import Build

Command = list[str]


@dataclass(frozen=True)
class Probe:
    """A debug probe, or a device that takes images without one. id: the value for --probe."""

    id: str
    about: str


@dataclass(frozen=True)
class Job:
    """A build for a board.

    name   the tool's name for the board; boards.TOOLS says what each tool expects
    probe  the id of the probe; "" takes the only one
    files  {suffix: file}: the checked formats of the image
    """

    build: Build
    name: str
    probe: str = ""
    files: dict[str, Path] = field(default_factory=dict)

    def file(self, *suffixes: str) -> str:
        """The image in the first of these formats that exists; else the file that the manifest names."""
        return str(next((self.files[s] for s in suffixes if s in self.files), self.build.image))


@dataclass(frozen=True)
class Program:
    """A tool that writes images.

    tool      its name in the catalogue of toolchains; "" if it needs no program
    command   the command line that a user would type
    verified  whether it reads back what it wrote
    probes    the probes for a board, given the tool's name for the board; None if it cannot list them
    write     a function that replaces the command
    ready     whether a device to write to is present, as far as this can be seen
    hint      the likely reason if there is no device
    """

    tool: str
    command: Callable[[Job], Command]
    verified: Callable[[Job], bool] = lambda job: True
    probes: Callable[[str], list[Probe] | None] = lambda name: None
    write: Callable[[Job], None] | None = None
    ready: Callable[[Job], bool] = lambda job: True
    hint: str = ""
