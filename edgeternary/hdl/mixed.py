"""Which layers are wires in a design that folds the others."""

import numpy as np

from edgeternary.hdl.folding import matrices
from edgeternary.hdl.parts import wired_layers
from edgeternary.hdl.passes import prepared
from edgeternary.ir import Graph, Op

SHARE = 4  # weights that are not 0 for each LUT of a part: more of them never fit beside other layers
TRIED = 6  # sets of layers
AFTER = ("threshold", "requantize")  # what belongs to the matrix before it


def choices(graph: Graph, luts: int) -> list[tuple[str, ...]]:
    """Names of layers that may be wires on a part of some LUTs: the first matrices, or the last ones, each
    with what follows its sums alone. Those with the fewest weights come first."""
    graph, known = prepared(graph), wired_layers()
    if graph.states:
        return []
    found = [op for op in graph.ops if op.name in matrices(graph) and op.kind in known]
    sets = [found[:k] for k in range(1, len(found))] + [found[k:] for k in range(1, len(found))] + [found]
    sized = sorted(((sum(map(_weights, ops)), k) for k, ops in enumerate(sets)))
    kept = [sets[k] for weights, k in sized if sets[k] and weights <= SHARE * luts][:TRIED]
    return [tuple(name for op in ops for name in _with_followers(graph, op)) for ops in kept]


def _weights(op: Op) -> int:
    return int(np.count_nonzero(getattr(op, "weights", 0)))


def _with_followers(graph: Graph, op: Op) -> list[str]:
    names = [op.name]
    while len(after := graph.consumers(names[-1])) == 1 and after[0].kind in AFTER:
        if names[-1] in graph.shown:
            break
        names.append(after[0].name)
    return names
