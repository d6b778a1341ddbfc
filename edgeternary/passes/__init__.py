"""Passes: each is Graph -> Graph in a file of its own; a graph from a front end meets them in order."""

from collections.abc import Callable

from edgeternary.ir import Graph
from edgeternary.passes.dead_channels import fold_dead_channels
from edgeternary.passes.overflow import prove_no_overflow
from edgeternary.passes.reduce_tables import reduce_tables
from edgeternary.passes.simplify import simplify
from edgeternary.passes.sink_pool import sink_pool

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    prove_no_overflow, simplify, sink_pool, reduce_tables, fold_dead_channels,
)  # fmt: skip


def optimize(graph: Graph) -> Graph:
    """Apply every pass; the result gives the same output for every input."""
    for step in PASSES:
        graph = step(graph)
    return graph
