"""Table networks that tests of the C back end draw."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ops import Compare, Conv2d, Dense, GroupCount, MaxPool, build
from edgeternary.ops.lut import random_tables


def table_net(
    channels: int,
    comparisons: int,
    tables: int,
    pins: int = 6,
    *,
    numbers: int = 3,
    groups: int = 0,
    seed: int = 0,
) -> Graph:
    """uint8 (channels,) -> comparisons with `numbers` numbers -> tables -> counts of groups, if any."""
    rng = np.random.default_rng(seed)
    x = build.value("x", (channels,), "uint8")
    t = rng.choice(rng.integers(0, 257, numbers), comparisons).astype(np.int32)
    source = rng.integers(0, channels, comparisons).astype(np.int32)
    ops: list[Op] = [Compare(name="bits", inputs=("x",), source=source, t=t)]
    bits = build.graph(x, *ops).output_value
    ops.append(random_tables(rng, bits, tables, pins, name="tables"))
    if groups:
        ends = np.sort(rng.integers(0, tables + 1, groups)).astype(np.int32)
        ends[-1] = tables
        bias = rng.integers(-9, 10, groups).astype(np.int32)
        ops.append(GroupCount(name="counts", inputs=("tables",), ends=ends, bias=bias))
    return build.graph(x, *ops, name="tables")


def image_net(
    shape: tuple[int, int, int],
    kernel: tuple[int, int],
    pad: tuple[int, int, int, int],
    type: str = "binary",
    *,
    comparisons: int = 3,
    tables: int = 5,
    stride: int = 1,
) -> Graph:
    """uint8 image -> comparisons -> tables of windows, then of pixels -> two pools, where there is room."""
    rng = np.random.default_rng(shape[0])
    x = build.value("x", shape, "uint8")
    t = rng.integers(0, 257, comparisons).astype(np.int32)
    source = rng.integers(0, shape[2], comparisons).astype(np.int32)
    ops: list[Op] = [Compare(name="bits", inputs=("x",), source=source, t=t, type=type)]
    for name, count, window in (
        ("windows", tables, (kernel, pad, stride)),
        ("tree", 4, ((1, 1), (0, 0, 0, 0), 1)),
    ):
        value = build.graph(x, *ops).output_value
        ops.append(
            random_tables(
                rng,
                value,
                count,
                6,
                type,
                name=name,
                kernel=window[0],
                pad=window[1],
                stride=(window[2],) * 2,
            )
        )
    for name in ("pool", "again"):
        value = build.graph(x, *ops).output_value
        if min(value.shape[:2]) > 1:
            minimum = np.full(value.channels, type == "bipolar", np.uint8)
            ops.append(
                MaxPool(name=name, inputs=(value.name,), kernel=(2, 2), stride=(2, 2), minimum=minimum)
            )
    return build.graph(x, *ops, name="image")


def sums(rng: np.random.Generator, kind: str, type: str, out: str, groups: int = 1) -> Graph:
    """A layer of up to six terms each on bits, with thresholds, some of which fall."""
    x = build.value("x", (30,) if kind == "dense" else (7, 9, 2), type)
    outputs, shape = 10, (30,) if kind == "dense" else (3, 2, 2 // groups)
    weights = np.zeros((outputs, int(np.prod(shape))), np.int8)
    for row in weights:
        used = rng.choice(row.size, rng.integers(0, 7), replace=False)
        row[used] = rng.choice([-1, 1], len(used))
    bias = rng.integers(-2, 3, outputs).astype(np.int32)
    common = {"name": "sums", "inputs": ("x",), "weight_type": "ternary", "bias": bias}
    op: Op = Dense(weights=weights, **common)
    if kind == "conv2d":
        low = x.type.lo
        windows = weights.reshape(outputs, *shape)
        op = Conv2d(weights=windows, pad=(1, 0, 1, 1), pad_value=low, groups=groups, **common)
    before = build.graph(x, op)
    return build.graph(x, op, build.random_thresholds(rng, before.output_value, out, "act"))
