"""What a language model takes to run, beside floats of its shape and a transformer with a cache."""

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ops import Dense, Gather, Requantize
from edgeternary.ops.sizes import NARROW, packed_bytes

CACHE = 2048  # tokens whose keys and values a transformer remembers
HALF = 2  # bytes of a float16

Row = dict[str, str | int | float]


def lm_memory(graph: Graph) -> list[Row]:
    """Rows of name, weights, constants, memory (state or cache), total in bytes, and how many times as much.

    weights: packed codes and biases, or float16. constants: tables of gates and scales, each where it is
    used, in the narrowest integers; floats have none. The transformer has the same width, depth, channel
    mixers, embedding and head; its attention has as many weights as the token mixer (four matrices of
    width x width a layer) and it keeps keys and values of CACHE tokens.
    """
    codes = sum(packed_bytes(op) for op in graph.ops)
    biases = sum(_bytes(op.bias) for op in graph.ops if isinstance(op, Dense) and op.bias.any())
    offsets = sum(_bytes(op.b) for op in graph.ops if isinstance(op, Requantize) and np.ptp(op.b) > 0)
    others = sum(
        _bytes(getattr(op, field))
        for op in graph.ops
        for field in op.__struct_fields__
        if isinstance(getattr(op, field), np.ndarray) and field not in (*op.packed, "bias")
    )
    state = sum(s.value.size * s.value.type.dtype.itemsize for s in graph.states)
    count = sum(op.weights.size for op in graph.ops if isinstance(op, Dense))
    count += sum(op.table.size for op in graph.ops if isinstance(op, Gather))
    count += sum(s.value.size for s in graph.states)  # a bias a channel of each state's gate
    elements = sum(s.value.size for s in graph.states)
    ours: Row = _row("integers", codes + biases + offsets, others - offsets, state)
    rows = [
        ours,
        _row("float16, same shape", HALF * count, 0, HALF * elements),
        _row(f"float16 transformer, {CACHE:,} tokens", HALF * count, 0, 2 * HALF * CACHE * elements),
    ]
    for row in rows:
        row["times"] = round(_kept(row) / _kept(ours), 2)
        row["times_with_constants"] = round(float(row["total"]) / float(ours["total"]), 2)
    return rows


def _row(name: str, weights: int, constants: int, memory: int) -> Row:
    total = weights + constants + memory
    return {"name": name, "weights": weights, "constants": constants, "memory": memory, "total": total}


def _kept(row: Row) -> float:
    return float(row["weights"]) + float(row["memory"])


def _bytes(array: np.ndarray) -> int:
    """In the narrowest integers; one element where all are equal, as generated C has it."""
    narrow = next(t for t in NARROW if np.iinfo(t).min <= array.min() and array.max() <= np.iinfo(t).max)
    return np.dtype(narrow).itemsize * (array.size if np.ptp(array) else 1)
