"""The proof that no accumulator overflows, as a pass: it changes nothing and reports the margin.

Every graph is already proven when it is built (`edgeternary.ops.accumulate`); this pass says how close
each layer comes, and is where a front end asks for the proof by name.
"""

from __future__ import annotations

from edgeternary.ir import Graph, smallest


def accumulator_bits(graph: Graph) -> dict[str, int]:
    """Bits that the accumulator of each layer with weights really needs, at most 32."""
    bits = {}
    for op in graph.ops:
        if op.packed:
            value = graph.values[op.name]
            bits[op.name] = smallest(value.lo, value.hi).bits
    return bits


def prove_no_overflow(graph: Graph) -> Graph:
    """Return `graph`; EdgeTernaryError names the layer whose int32 accumulator could overflow."""
    for op in graph.ops:
        op.infer(graph.ins(op))
    return graph
