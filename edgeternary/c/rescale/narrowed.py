"""A requantize of form C as the one of form B that is equal to it on the whole interval, where there is one.

Kernels that add in lanes have form B too, and everywhere its product is one of 32 bits.
"""

from typing import cast

import msgspec
import numpy as np

from edgeternary.c.rescale import forms as rescale
from edgeternary.c.rescale.staircase import staircase
from edgeternary.ir import Graph, Op, Value
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Requantize

M_BITS = 15
TRIED = 3  # shifts below the largest one


def narrowed(graph: Graph) -> Graph:
    """The graph with each such requantize in the place of the one that it equals."""
    made = {
        op.name: found
        for op in graph.ops
        if isinstance(op, Requantize) and (found := _form_b(op, graph.values[op.inputs[0]])) is not None
    }
    return graph.with_ops([cast(Op, made.get(op.name, op)) for op in graph.ops]) if made else graph


def _form_b(op: Requantize, x: Value) -> Requantize | None:
    if rescale.form(op, x) != "C":
        return None
    steps, reach = staircase(op, x), max(abs(x.lo), abs(x.hi), 1)
    if steps is None or not steps.gain.max() > 0 or x.hi - x.lo > INT32_HI:
        return None
    most = min(2**M_BITS - 1, INT32_HI // (2 * reach)) / float(steps.gain.max())
    window = np.full(x.channels, x.lo, np.int64), np.full(x.channels, x.hi, np.int64)
    finest = min(int(np.floor(np.log2(most))), 30) if most >= 1 else -1
    for s in range(finest, max(finest - TRIED, -1), -1):
        lines = steps.lines(window, s, clamped=True)
        if lines is None:
            continue
        b = lines.b - x.lo * lines.m + (op.lo << s)
        if np.abs(b).max() <= INT32_HI:
            numbers = {"m": lines.m.astype(np.int32), "b": b.astype(np.int32), "s": np.full_like(op.s, s)}
            found = msgspec.structs.replace(op, **numbers, zero=0, rounding="floor")
            if rescale.form(found, x) != "C":
                return found
    return None
