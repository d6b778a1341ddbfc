"""Table networks that tests of the C back end draw."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ops import Compare, GroupCount, Reshape, build
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


def mnist_net(seed: int = 0) -> Graph:
    """The size of a table network for MNIST: 1,500 comparisons, 800 tables of six inputs, ten classes."""
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(3 * 784, 1500, replace=False))
    levels = np.array([64, 128, 192])
    ops: list[Op] = [
        Reshape(name="flat", inputs=("image",), shape=(784,)),
        Compare(
            name="bits", inputs=("flat",), source=(chosen // 3).astype(np.int32),
            t=levels[chosen % 3].astype(np.int32),
        ),
    ]  # fmt: skip
    x = build.value("image", (28, 28, 1), "uint8")
    ops.append(random_tables(rng, build.graph(x, *ops).output_value, 800, 6, name="tables"))
    ends, bias = 80 * np.arange(1, 11, dtype=np.int32), np.zeros(10, np.int32)
    ops.append(GroupCount(name="counts", inputs=("tables",), ends=ends, bias=bias))
    return build.graph(x, *ops, name="mnist_tables")
