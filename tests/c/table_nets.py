"""Table networks that tests of the C back end draw."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ops import Compare, GroupCount, MaxPool, build
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
