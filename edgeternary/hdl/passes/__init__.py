"""What changes a graph before it is folded and built: an ordered list of passes, each Graph -> Graph."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from edgeternary.hdl.passes.by_position import count_by_position
from edgeternary.hdl.passes.flatten import flatten_early
from edgeternary.hdl.passes.pad import pad
from edgeternary.hdl.passes.together import together
from edgeternary.hdl.passes.unroll import unroll_windows
from edgeternary.ir import Graph


@dataclass(frozen=True)
class Pass:
    """A step of the list.

    folded  it is for designs with folds
    wired   it is for designs whose layers are all wires
    padded  it is only for designs whose awkward sizes are padded, see Folding.padded; it follows the others
    """

    run: Callable[[Graph], Graph]
    folded: bool = True
    wired: bool = False
    padded: bool = False


PASSES = (
    Pass(flatten_early, wired=True),
    Pass(unroll_windows, folded=False, wired=True),
    Pass(together),
    Pass(count_by_position),
    Pass(pad, padded=True),
)


def prepared(graph: Graph, padded: bool = False, wired: bool = False) -> Graph:
    """The graph that is folded and built. Values that are left bear the names that they had."""
    return _prepared(graph, padded, wired)


@lru_cache(maxsize=16)  # planning asks for every folding that it tries
def _prepared(graph: Graph, padded: bool, wired: bool) -> Graph:
    steps = [step for step in PASSES if step.padded == padded and (step.wired if wired else step.folded)]
    graph = _prepared(graph, False, wired) if padded else graph
    for step in steps:
        graph = step.run(graph)
    return graph


def awkward(graph: Graph) -> bool:
    """Whether padding changes anything: some size has no useful divisors."""
    return prepared(graph, padded=True) is not prepared(graph)
