"""Graphs as imported int8 models hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Add, Conv2d, Lookup, Requantize, build


def twice(rng: np.random.Generator, channels: int, low: int = 33, high: int = 44) -> dict[str, Any]:
    """Fields of a requantize that rounds twice."""
    return {
        "m": rng.integers(1 << 30, INT32_HI, channels).astype(np.int32), "b": np.zeros(channels, np.int32),
        "s": rng.integers(low, high, channels).astype(np.int32), "rounding": "tflite_double", "type": "int8",
        "lo": -128, "hi": 127,
    }  # fmt: skip


def depthwise() -> Iterator[Graph]:
    rng = np.random.default_rng(2)
    for channels, kernel, stride, pad, type in [
        (4, (3, 3), (1, 1), (1, 1, 1, 1), "int8"),
        (7, (3, 2), (2, 1), (0, 1, 1, 1), "int8"),
        (9, (1, 5), (1, 2), (0, 0, 0, 0), "uint8"),
        (64, (3, 3), (2, 2), (0, 0, 1, 1), "int8"),
        (6, (2, 2), (1, 1), (1, 0, 0, 1), "int16"),
    ]:
        x = build.value("x", (7, 6, channels), type)
        weights = rng.integers(-128, 128, (channels, *kernel, 1)).astype(np.int8)
        op = Conv2d(
            name="conv", inputs=("x",), weights=weights, weight_type="int8", stride=stride, pad=pad,
            bias=rng.integers(-9000, 9000, channels).astype(np.int32), pad_value=x.hi if any(pad) else 0,
            groups=channels,
        )  # fmt: skip
        after = Requantize(name="y", inputs=("conv",), zero=3, **twice(rng, channels))
        yield build.graph(x, op, after)
        yield build.graph(x, op)


def wide(rng: np.random.Generator, size: int) -> np.ndarray:
    return np.sort(rng.integers(-(1 << 27), 1 << 27, size)).astype(np.int32)


def sum_of_tables(rounding: str, channels: int = 5) -> Graph:
    rng = np.random.default_rng(8)
    x = build.value("x", (4, 3, channels), "int8")
    half = Lookup(
        name="other",
        inputs=("x",),
        table=rng.integers(-60, 60, 256).astype(np.int32),
        offset=-128,
        type="int7",
    )
    sides = [
        Lookup(name=name, inputs=(read,), table=wide(rng, size), offset=-size // 2, type="int32")
        for name, read, size in (("a", "x", 256), ("b", "other", 128))
    ]
    fields = twice(rng, channels, 50, 56)
    if rounding != "tflite_double":
        fields |= {"m": np.ones(channels, np.int32), "s": fields["s"] - 30, "rounding": rounding}
        fields["b"] = rng.integers(-99, 99, channels).astype(np.int32)
    after = Requantize(name="y", inputs=("sum",), zero=-1, **fields)
    return build.graph(x, half, *sides, Add(name="sum", inputs=("a", "b")), after)
