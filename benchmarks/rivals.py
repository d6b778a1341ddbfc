"""Networks of other projects as Verilog: a folder for each, with facts.toml, *.v and perhaps frames.npz.

Their code is not here: whoever repeats the comparison makes the folders from the projects that the facts
name. docs/league.md says what a folder holds.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.netlist import Netlist
from edgeternary.errors import USAGE, EdgeTernaryError

FACTS, FRAMES = "facts.toml", "frames.npz"


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a folder says of its Verilog.

    accuracy         as its authors give it, 0 to 1, on the test set of `data`; 0: they do not
    frames           in that test set
    top              the module that is counted: all inputs of a frame in, the class out
    input, output    its ports of the frame and of the class
    latency          rising edges of the clock from a frame to its class; a frame can come in every clock
    takes            what the input is, such as "784 pixels of 4 bits"
    holds            what the module has inside: encoder, argmax, what was added to it
    made             how the Verilog came about
    source, commit   of the project
    """

    name: str
    data: str
    accuracy: float
    frames: int
    top: str
    input: str
    output: str
    latency: int
    takes: str
    holds: str
    made: str
    source: str
    commit: str


@dataclass(frozen=True)
class Rival:
    """A folder: its facts, all its Verilog as one text, and the file of its frames if it has one."""

    facts: Facts
    verilog: str
    frames: Path | None

    @property
    def name(self) -> str:
        return self.facts.name


def found(folder: Path) -> Iterator[Rival]:
    """The rivals in the folders of `folder`, by name of their folders; EdgeTernaryError (code 2) for none."""
    places = sorted(path.parent for path in folder.glob(f"*/{FACTS}"))
    if not places:
        raise EdgeTernaryError(
            f"{folder} holds no network", f"no folder in it has a {FACTS}",
            "docs/league.md says what a folder holds", USAGE,
        )  # fmt: skip
    yield from map(read, places)


def read(place: Path) -> Rival:
    """One folder; EdgeTernaryError (code 2) for facts that are wrong or Verilog that is missing."""
    try:
        content: Any = tomllib.loads((place / FACTS).read_text(encoding="utf-8"))
        facts = msgspec.convert(content, Facts)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise EdgeTernaryError(
            f"{place / FACTS} cannot be read", str(error), "docs/league.md lists its keys", USAGE
        ) from error
    files = sorted(place.glob("*.v"))
    if not files:
        raise EdgeTernaryError(f"{place} holds no Verilog", "looked for *.v", "put its files there", USAGE)
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    frames = place / FRAMES
    return Rival(facts, f"/* {facts.top} */\n{text}", frames if frames.is_file() else None)


def accuracy(rival: Rival, netlist: Path) -> tuple[float, int]:
    """(share of frames whose class is the label, frames), run through a netlist for iCE40.

    frames.npz holds `inputs`, uint8 (frames, bytes), a frame's bits from the lowest of the port on, and
    `labels` (frames,).
    """
    assert rival.frames
    facts = rival.facts
    with np.load(rival.frames, allow_pickle=False) as content:
        inputs, labels = content["inputs"], content["labels"]
    answers = Netlist(netlist, facts.top).run(facts.input, facts.output, inputs, facts.latency)
    return float((answers == labels).mean()), len(labels)
