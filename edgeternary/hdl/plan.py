"""What is asked of a design, and the design that answers it."""

from __future__ import annotations

from dataclasses import dataclass

from edgeternary.hdl.folding import Folding, fold
from edgeternary.hdl.top import Design, build
from edgeternary.ir import Graph


@dataclass(frozen=True)
class Wishes:
    """device    a part or family of hdl.devices, "" for the bare core with the default folding
    fps       frames a second to reach; 0: no wish
    max_luts  at most so many LUTs; 0: what the part has
    maximize  as many frames a second as fit
    """

    device: str = ""
    fps: float = 0.0
    max_luts: int = 0
    maximize: bool = False


def folding(graph: Graph, wishes: Wishes) -> Folding:
    """The folding that meets the wishes with the fewest LUTs."""
    return fold(graph)


def design(graph: Graph, wishes: Wishes) -> Design:
    """The core (stream of numbers out), or for a device the design that goes onto it (stream of bytes out)."""
    return build(graph, folding(graph, wishes), answer=bool(wishes.device))
