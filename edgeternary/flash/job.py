"""What is written to which board, and what the package knows of a programming tool."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edgeternary.link.build import Build

Command = list[str]


@dataclass(frozen=True)
class Probe:
    """A debug probe, or a device that takes images by itself. id: for --probe."""

    id: str
    about: str


@dataclass(frozen=True)
class Job:
    """A build for a board.

    name   what the tool calls the board: boards.TOOLS says what is meant
    probe  id of the probe, "" for the only one
    files  {suffix: file}: the forms of the image that were checked
    """

    build: Build
    name: str
    probe: str = ""
    files: dict[str, Path] = field(default_factory=dict)

    def file(self, *suffixes: str) -> str:
        """The image in the first of these forms that exists; else the file that the manifest names."""
        return str(next((self.files[s] for s in suffixes if s in self.files), self.build.image))


@dataclass(frozen=True)
class Program:
    """A tool that writes images.

    tool      its name in the catalogue of toolchains; "" needs none
    command   what a user would type
    verified  whether it reads back what it wrote
    probes    what it could talk to, given what it calls the board; None where it cannot say without trying
    write     what is done in place of the command
    ready     whether there is something to write to, as far as that can be seen
    hint      why there may be nothing to write to
    """

    tool: str
    command: Callable[[Job], Command]
    verified: Callable[[Job], bool] = lambda job: True
    probes: Callable[[str], list[Probe] | None] = lambda name: None
    write: Callable[[Job], None] | None = None
    ready: Callable[[Job], bool] = lambda job: True
    hint: str = ""
