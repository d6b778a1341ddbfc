"""How the operators of table networks are lowered: compare, lut and group_count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.torch_values import Codes, Context, Lowered
from edgeternary.nn.ops import conv_size
from edgeternary.ops import Compare, GroupCount, Lut


def compare(c: Context, x: Lowered, source: Lowered, t: Lowered) -> Codes:
    x = c.per_channel(c.codes(x, "compare the raw input, or codes of an Activation"))
    value = c.values[x.name]
    channels = _placed(x, c.integers(source, "source"))
    limits = np.clip(c.integers(t, "thresholds"), value.lo, value.hi + 1)  # the same bits
    op = Compare(name=c.name(), inputs=(x.name,), source=channels.astype(np.int32), t=limits.astype(np.int32))
    return c.emit(op, (len(limits), *x.shape[1:]))


def lut(
    c: Context, x: Lowered, wiring: Lowered, tables: Lowered, kernel: Sequence[int], stride: Sequence[int],
    pad: Sequence[int],
) -> Codes:  # fmt: skip
    x = c.per_channel(c.codes(x, "put an edgeternary.nn.Comparisons before it"))
    pins, entries = c.integers(wiring, "wiring"), c.integers(tables, "tables")
    (ky, kx), (sy, sx), (top, left, bottom, right) = kernel, stride, pad
    shape: tuple[int, ...] = (len(pins),)
    if len(x.shape) == 1:
        pins = _placed(x, pins)
    else:
        channels, height, width = x.shape
        place, channel = pins % (ky * kx), pins // (ky * kx)  # torch's windows are (c, ky, kx)
        pins = place * channels + channel
        shape += conv_size(height, top, bottom, ky, sy), conv_size(width, left, right, kx, sx)
    op = Lut(
        name=c.name(), inputs=(x.name,), wiring=pins.astype(np.int32), tables=entries.astype(np.int8),
        kernel=(ky, kx), stride=(sy, sx), pad=(top, left, bottom, right),
    )  # fmt: skip
    return c.emit(op, shape)


def group_count(c: Context, x: Lowered, ends: Lowered, bias: Lowered) -> Codes:
    x = c.codes(x, "put an edgeternary.nn.LutLayer before it")
    if len(x.shape) != 1:
        raise c.refuse(
            f"it counts groups of flat bits and gets a map, {x.shape} in torch", "put a Flatten before it"
        )
    if (
        x.order is not None
    ):  # a flattened map, whose groups lie apart in the graph: tables of one pin are wires
        same = np.tile(np.array([0, 1], np.int8), (len(x.order), 1))
        wires = x.order.astype(np.int32)[:, None]
        x = c.emit(Lut(name=c.name("order"), inputs=(x.name,), wiring=wires, tables=same), x.shape)
    groups, offsets = c.integers(ends, "ends"), c.integers(bias, "bias")
    op = GroupCount(
        name=c.name(), inputs=(x.name,), ends=groups.astype(np.int32), bias=offsets.astype(np.int32)
    )
    return c.emit(op, (len(groups),))


def _placed(x: Codes, indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of torch's elements as those of the graph."""
    return indices if x.order is None or len(x.shape) > 1 else x.order[indices]
