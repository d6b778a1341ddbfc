"""What a builder hands over, be it for a core, an FPGA or a board."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edgeternary.c.explain import Candidate
from edgeternary.c.plan import Plan

Files = dict[str, bytes | str]


@dataclass(frozen=True)
class Made:
    """Files and figures of one build.

    files      {name: content}
    estimates  figures known before any tool ran, in the words for quantities
    measured   the same words, from tools; {} where none ran
    layers     one dict a layer
    image      what a manifest says of the file that a board is given; {} without one
    plan       of C
    explain    why its kernels were chosen, see c.explain.explain_plan; takes `most`
    """

    files: Files
    estimates: dict[str, Any]
    measured: dict[str, Any]
    layers: list[dict[str, Any]]
    image: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None
    explain: Callable[[float], list[Candidate]] | None = None
