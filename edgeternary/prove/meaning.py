"""What the graph says about one number of a layer's answer: which numbers it depends on, and how.

A `Sum` is a constant and a number for each value of each input, which are added. A `Local` depends on few
numbers, and is computed with the op's own numpy meaning, cut down to this one number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import msgspec
import numpy as np

from edgeternary.ir import Graph, Op, Value
from edgeternary.ops import Argmax, Compare, Dense, GroupCount, Lut, MaxPool
from edgeternary.prove.evaluate import Column

Key = tuple[str, int]  # value and flat index


@dataclass(frozen=True)
class Sum:
    """constant + sum of factor * x over `factors`; a `bits` one adds factor * (x > 0)."""

    constant: int
    factors: dict[Key, int]
    bits: bool = False

    def column(self, key: Key, numbers: Column) -> Column:
        """What the values of one input add."""
        return self.factors.get(key, 0) * ((numbers > 0).astype(np.int64) if self.bits else numbers)


@dataclass(frozen=True)
class Local:
    """A function of the numbers at `keys`, which come as columns in their order."""

    keys: tuple[Key, ...]
    function: Callable[[list[Column]], Column]


@dataclass(frozen=True)
class Largest:
    """The index of the largest of the numbers at `keys`, the lowest of equals."""

    keys: tuple[Key, ...]


Meaning = Sum | Local | Largest
Rule = Callable[[Op, list[Value], int], Meaning | None]


def meaning(graph: Graph, op: Op, index: int) -> Meaning | None:
    """Of the number at a flat index of an op's answer; None where this file has no rule for it."""
    found = RULES.get(op.kind)
    return found(op, [graph.values[name] for name in op.inputs], index) if found else None


def _dense(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Dense)
    (name,) = op.inputs
    factors = {(name, int(k)): int(op.weights[index, k]) for k in np.flatnonzero(op.weights[index])}
    return Sum(int(op.bias[index]), factors)


def _group_count(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, GroupCount)
    first = int(op.ends[index - 1]) if index else 0
    return Sum(int(op.bias[index]), {(op.inputs[0], k): 1 for k in range(first, int(op.ends[index]))}, True)


def _add(op: Op, ins: list[Value], index: int) -> Meaning:
    factors: dict[Key, int] = {}
    for name in op.inputs:
        factors[name, index] = factors.get((name, index), 0) + 1
    return Sum(0, factors)


def _elementwise(op: Op, ins: list[Value], index: int) -> Meaning:
    channel = index % ins[0].channels
    rows = {f: getattr(op, f)[channel : channel + 1] for f in PER_CHANNEL.get(op.kind, ())}
    one = msgspec.structs.replace(op, **rows)
    return Local(
        ((op.inputs[0], index),),
        lambda columns: one.ref(columns[0].astype(np.int32)[None, :, None])[0, :, 0].astype(np.int64),
    )


def _compare(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Compare)
    pixel, j = divmod(index, len(op.source))
    one = msgspec.structs.replace(op, source=np.zeros(1, np.int32), t=op.t[j : j + 1])
    key = op.inputs[0], pixel * ins[0].channels + int(op.source[j])
    return Local((key,), lambda columns: one.ref(columns[0].astype(np.int32)[:, None])[:, 0].astype(np.int64))


def _window(op: Lut | MaxPool, x: Value, pixel: int, pad: tuple[int, int, int, int]) -> list[int]:
    """The flat index of each number of a window in the order (ky, kx, c), -1 outside of the map."""
    if len(x.shape) == 1:
        return list(range(x.size))
    height, width, channels = x.shape
    columns = (width + pad[1] + pad[3] - op.kernel[1]) // op.stride[1] + 1
    row, column = divmod(pixel, columns)
    found = []
    for ky, kx, c in product(range(op.kernel[0]), range(op.kernel[1]), range(channels)):
        y, at = row * op.stride[0] + ky - pad[0], column * op.stride[1] + kx - pad[1]
        inside = 0 <= y < height and 0 <= at < width
        found.append((y * width + at) * channels + c if inside else -1)
    return found


def _lut(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Lut)
    pixel, table = divmod(index, len(op.wiring))
    window = _window(op, ins[0], pixel, op.pad)
    wiring = [-1 if pin < 0 else window[pin] for pin in op.wiring[table].tolist()]
    used = sorted({at for k, at in enumerate(wiring) if at >= 0 and _matters(op.tables[table], k)})
    wiring = [at if at in used else -1 for at in wiring]
    local = np.array([used.index(at) if at >= 0 else -1 for at in wiring], np.int32)
    one = Lut(
        name=op.name, inputs=op.inputs, wiring=local[None], tables=op.tables[table : table + 1], type=op.type
    )

    def function(columns: list[Column]) -> Column:
        x = np.stack(columns or [np.zeros(1, np.int64)], axis=1).astype(np.int32)
        return one.ref(x)[:, 0].astype(np.int64)

    return Local(tuple((op.inputs[0], at) for at in used), function)


def _matters(table: np.ndarray, pin: int) -> bool:
    """Whether an entry changes with a pin."""
    entries = table.reshape(-1, 2, 1 << pin)
    return bool((entries[:, 0] != entries[:, 1]).any())


def _max_pool(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, MaxPool)
    pixel, channel = divmod(index, ins[0].channels)
    window = _window(op, ins[0], pixel, op.pad)
    used = [at for at in window[channel :: ins[0].channels] if at >= 0]
    extreme = np.min if op.minimum[channel] else np.max
    return Local(tuple((op.inputs[0], at) for at in used), lambda columns: extreme(np.stack(columns), axis=0))


def _argmax(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Argmax)
    return Largest(tuple((op.inputs[0], k) for k in range(ins[0].size)))


PER_CHANNEL = {
    "threshold": ("t", "base", "step"),
    "requantize": ("m", "b", "s"),
}  # fields with a row a channel
RULES: dict[str, Rule] = {
    "dense": _dense,
    "group_count": _group_count,
    "add": _add,
    "threshold": _elementwise,
    "requantize": _elementwise,
    "lookup": _elementwise,
    "compare": _compare,
    "lut": _lut,
    "max_pool": _max_pool,
    "argmax": _argmax,
}
