"""What the graph says about a number of a map: of windows, and of ops that only move numbers."""

from __future__ import annotations

from itertools import product

import numpy as np

from edgeternary.ir import Op, Value
from edgeternary.ops import Concat, Conv2d, Lut, MaxPool, Reshape, Shift, Slice, SumPool, Upsample
from edgeternary.ops.window import Padding, Pair
from edgeternary.prove.evaluate import Column
from edgeternary.prove.meaning import Local, Meaning, Sum

NONE: Padding = (0, 0, 0, 0)


def _window(
    op: Conv2d | Lut | MaxPool | SumPool, x: Value, pixel: int, pad: Padding = NONE, channels: Pair = (0, 0)
) -> list[int]:
    """The flat index of each number of a window in the order (ky, kx, c), -1 outside of the map.

    channels  (first, end) of those that are read; (0, 0): all
    """
    if len(x.shape) == 1:
        return list(range(x.size))
    height, width, count = x.shape
    first, end = channels if channels[1] else (0, count)
    columns = (width + pad[1] + pad[3] - op.kernel[1]) // op.stride[1] + 1
    row, column = divmod(pixel, columns)
    found = []
    for ky, kx, c in product(range(op.kernel[0]), range(op.kernel[1]), range(first, end)):
        y, at = row * op.stride[0] + ky - pad[0], column * op.stride[1] + kx - pad[1]
        inside = 0 <= y < height and 0 <= at < width
        found.append((y * width + at) * count + c if inside else -1)
    return found


def conv2d(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Conv2d)
    pixel, o = divmod(index, len(op.bias))
    weights = op.weights[o].reshape(-1)
    per_group = op.weights.shape[3]
    first = o // (len(op.bias) // op.groups) * per_group
    window = _window(op, ins[0], pixel, op.pad, (first, first + per_group))
    inside = [k for k in np.flatnonzero(weights).tolist() if window[k] >= 0]
    outside = int(weights.sum(dtype=np.int64)) - sum(int(weights[k]) for k in inside)
    factors = {(op.inputs[0], window[k]): int(weights[k]) for k in inside}
    return Sum(int(op.bias[o]) + outside * op.pad_value, factors)


def sum_pool(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, SumPool)
    pixel, channel = divmod(index, ins[0].channels)
    window = _window(op, ins[0], pixel, NONE, (channel, channel + 1))
    return Sum(0, {(op.inputs[0], at): 1 for at in window})


def lut(op: Op, ins: list[Value], index: int) -> Meaning:
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


def max_pool(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, MaxPool)
    pixel, channel = divmod(index, ins[0].channels)
    used = [at for at in _window(op, ins[0], pixel, op.pad, (channel, channel + 1)) if at >= 0]
    extreme = np.min if op.minimum[channel] else np.max
    return Local(tuple((op.inputs[0], at) for at in used), lambda columns: extreme(np.stack(columns), axis=0))


def _same(name: str, index: int) -> Sum:
    """A number of the layer before as it is."""
    return Sum(0, {(name, index): 1})


def concat(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Concat | Shift)
    lost = ins[1].channels if isinstance(op, Shift) else 0  # channels that are pushed out
    pixel, channel = divmod(index, sum(x.channels for x in ins) - lost)
    channel += lost
    for name, x in zip(op.inputs, ins, strict=True):
        if channel < x.channels:
            return _same(name, pixel * x.channels + channel)
        channel -= x.channels
    raise AssertionError(index)


def sliced(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Slice)
    pixel, channel = divmod(index, op.stop - op.start)
    return _same(op.inputs[0], pixel * ins[0].channels + op.start + channel)


def upsample(op: Op, ins: list[Value], index: int) -> Meaning:
    assert isinstance(op, Upsample)
    _, width, channels = ins[0].shape
    pixel, channel = divmod(index, channels)
    row, column = divmod(pixel, width * op.factor[1])
    if op.fill == "zero" and (row % op.factor[0] or column % op.factor[1]):
        return Sum(0, {})
    return _same(op.inputs[0], (row // op.factor[0] * width + column // op.factor[1]) * channels + channel)


def wire(op: Op | None, ins: list[Value], out: Value, index: int) -> int | None:
    """Which number of its input a number of an op is, at each value: of a reshape, and of a table of one bit
    that says what it reads; None of all others."""
    if isinstance(op, Reshape):
        return index
    if not isinstance(op, Lut) or op.windowed or op.wiring.shape[1] > 1 or ins[0].type != out.type:
        return None
    pixel, table = divmod(index, len(op.wiring))
    pin, (low, high) = int(op.wiring[table, 0]), op.tables[table]
    return pixel * ins[0].channels + pin if pin >= 0 and low < high else None
