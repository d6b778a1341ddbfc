"""Tables that read windows, as tables of the whole map: each place of a window has copies of its own."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value
from edgeternary.ops import Compare, Lut, Reshape


def unroll_windows(graph: Graph) -> Graph:
    """A lut over windows of a map becomes reshape to a vector, lut, reshape to the map of answers; so does a
    compare of a map. Maps keep their names; the same graph where no table reads windows."""
    if not any(isinstance(op, Lut) and op.windowed for op in graph.ops):
        return graph
    ops: list[Op] = []
    for op in graph.ops:
        x, y = graph.ins(op)[0], graph.values[op.name]
        if isinstance(op, Lut) and op.windowed:
            ops += _flat(op, x, y, **_tables(op, x, y))
        elif isinstance(op, Compare) and len(x.shape) == 3:
            ops += _flat(op, x, y, **_comparisons(op, x))
        else:
            ops.append(op)
    return replace(graph, ops=tuple(ops))


def _flat(op: Op, x: Value, y: Value, **fields: Any) -> list[Op]:
    before, vector = f"{op.name} input", f"{op.name} vector"
    return [
        Reshape(name=before, inputs=op.inputs, shape=(x.size,)),
        msgspec.structs.replace(op, name=vector, inputs=(before,), **fields),
        Reshape(name=op.name, inputs=(vector,), shape=y.shape),
    ]


def _comparisons(op: Compare, x: Value) -> dict[str, Any]:
    pixels = np.arange(x.size // x.channels, dtype=np.int32)[:, None]
    source = (pixels * x.channels + op.source).reshape(-1).astype(np.int32)
    return {"source": source, "t": np.tile(op.t, len(pixels))}


def _tables(op: Lut, x: Value, y: Value) -> dict[str, Any]:
    rows, columns, _ = y.shape
    wiring = [_wiring(op, x, row, column) for row in range(rows) for column in range(columns)]
    return {
        "wiring": np.concatenate(wiring).astype(np.int32),
        "tables": np.tile(op.tables, (rows * columns, 1)),
        "kernel": (1, 1),
        "stride": (1, 1),
        "pad": (0, 0, 0, 0),
    }


def _wiring(op: Lut, x: Value, row: int, column: int) -> IntArray:
    """Where the pins of a window read in the whole map; -1 for those that read padding or nothing."""
    height, width, channels = x.shape
    taps, channel = np.divmod(op.wiring, channels)
    rows = row * op.stride[0] - op.pad[0] + taps // op.kernel[1]
    columns = column * op.stride[1] - op.pad[1] + taps % op.kernel[1]
    inside = (op.wiring >= 0) & (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return np.where(inside, (rows * width + columns) * channels + channel, -1)
