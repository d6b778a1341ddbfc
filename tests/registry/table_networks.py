"""Drawn table networks: thermometer bits, layers of tables, a count a class; flat and convolutional."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph, Op
from edgeternary.ops import Argmax, Compare, GroupCount, MaxPool, Reshape, build
from edgeternary.ops.lut import random_tables


def table_network(seed: int, *, argmax: bool = False) -> Graph:
    """A classifier with bits that are constant, equal, ordered or read by nobody."""
    rng = np.random.default_rng(seed)
    convolutional = bool(rng.integers(2))
    type = "uint8" if rng.integers(3) else "int8"
    shape = tuple(rng.integers(3, 7, 2).tolist()) + (int(rng.integers(1, 3)),) if convolutional else None
    x = build.value("x", shape or (int(rng.integers(1, 40)),), type)
    ops: list[Op] = [_compare(rng, x.channels, x.lo, x.hi)]
    value = ops[-1].infer([x])

    def add(op: Op) -> None:
        nonlocal value
        ops.append(op)
        value = op.infer([value])

    def bits() -> str:
        return "bipolar" if rng.integers(3) == 0 else "binary"

    if convolutional:
        kernel, stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4))), (1, int(rng.integers(1, 3)))
        pad = (kernel[0] // 2, 0, 0, kernel[1] - 1) if rng.integers(2) else (0, 0, 0, 0)
        pins = int(rng.integers(2, 7))
        add(random_tables(rng, value, int(rng.integers(4, 12)), pins, bits(), name="window", kernel=kernel,
                          stride=stride, pad=pad))  # fmt: skip
        add(random_tables(rng, value, int(rng.integers(1, 7)), 3, bits(), name="tree"))
        if min(value.shape[:2]) >= 2:
            minimum = rng.integers(0, 2, value.channels) * rng.integers(2)
            pool = MaxPool(name="pool", inputs=(value.name,), kernel=(2, 2), stride=(2, 2),
                           minimum=minimum.astype(np.uint8))  # fmt: skip
            add(pool)
        add(Reshape(name="flat", inputs=(value.name,), shape=(value.size,)))
    for layer in range(int(rng.integers(1, 4))):
        count = int(rng.integers(1, 40))
        add(random_tables(rng, value, count, int(rng.integers(1, 7)), bits(), name=f"tables{layer}"))
    groups = int(rng.integers(1, 6))
    ends = np.sort(rng.integers(0, value.size + 1, groups))
    ends[-1] = value.size
    bias = rng.integers(-9, 10, groups).astype(np.int32)
    add(GroupCount(name="counts", inputs=(value.name,), ends=ends.astype(np.int32), bias=bias))
    if argmax:
        add(Argmax(name="class", inputs=("counts",)))
    return build.graph(x, *ops, name=f"tables{seed}")


def _compare(rng: np.random.Generator, channels: int, lo: int, hi: int) -> Compare:
    count = int(rng.integers(2, 30))
    levels = np.array([lo, hi + 1, *rng.integers(lo, hi + 1, 4)])
    t = rng.choice(levels, count, p=[0.05, 0.05, 0.3, 0.2, 0.2, 0.2])
    source = rng.integers(0, channels, count)
    type = "binary" if rng.integers(2) else "bipolar"
    return Compare(
        name="bits", inputs=("x",), source=source.astype(np.int32), t=t.astype(np.int32), type=type
    )
