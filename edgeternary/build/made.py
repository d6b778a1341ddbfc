"""What a builder hands over, be it for a core, an FPGA or a board."""

from dataclasses import dataclass, field
from typing import Any

Files = dict[str, bytes | str]


@dataclass(frozen=True)
class Made:
    """Files and figures of one build.

    files      {name: content}
    estimates  figures known before any tool ran, in the words for quantities
    measured   the same words, from tools; {} where none ran
    layers     one dict a layer
    image      what a manifest says of the file that a board is given; {} without one
    """

    files: Files
    estimates: dict[str, Any]
    measured: dict[str, Any]
    layers: list[dict[str, Any]]
    image: dict[str, Any] = field(default_factory=dict)
