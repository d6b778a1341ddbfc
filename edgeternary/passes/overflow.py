"""The proof that no accumulator overflows, as a pass: it changes nothing.

Every graph is already proven when it is built (`edgeternary.ops.accumulate`). With this pass in the list, the
proof is repeated after the passes before it.
"""

from edgeternary.ir import Graph


def prove_no_overflow(graph: Graph) -> Graph:
    """Return `graph`; EdgeTernaryError names the layer whose int32 accumulator could overflow."""
    for op in graph.ops:
        op.infer(graph.ins(op))
    return graph
