"""Convolutions and small networks whose values can stay in lanes."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ops import Add, Conv2d, MaxPool, Requantize, build
from tests.c.graphs import Net


def conv(
    rng: np.random.Generator,
    x: str,
    shape: tuple[int, ...],
    out: int,
    name: str,
    stride: int = 1,
    kernel: int = 3,
) -> Conv2d:
    """Ternary, padded by half a kernel, or lying down for a value of height 1."""
    pads = (kernel // 2,) * 4
    flat = shape[0] == 1
    return Conv2d(
        name=name,
        inputs=(x,),
        weights=build.codes(rng, (out, 1 if flat else kernel, kernel, shape[2]), "ternary"),
        weight_type="ternary",
        bias=rng.integers(-50, 50, out).astype(np.int32),
        stride=(1, stride) if flat else (stride, stride),
        pad=(0, pads[1], 0, pads[3]) if flat else pads,
        pad_value=1,
    )


def requantize(
    rng: np.random.Generator, channels: int, name: str, source: str, form: str = "A"
) -> Requantize:
    m = rng.choice([1, 1, -1, 0], channels) if form == "A" else rng.integers(-200, 300, channels)
    return Requantize(
        name=name, inputs=(source,), m=m.astype(np.int32), b=rng.integers(-200, 900,
        channels).astype(np.int32),
        s=rng.integers(0, 4, channels).astype(np.int32) + (8 if form == "B" else 0), zero=-3, lo=-128, hi=127,
        rounding="half_up", type="int8",
    )  # fmt: skip


def nets() -> list[Graph]:
    """Chains, a residual sum and pools on lanes; forms A and B; long sums in parts."""
    rng = np.random.default_rng(5)
    found = []
    for form, shape in [("A", (9, 6, 3)), ("B", (9, 6, 3)), ("A", (1, 17, 4)), ("A", (12, 8, 5))]:
        x = build.value("x", shape, "int8")
        first = conv(rng, "x", shape, 5, "c1")
        q1 = requantize(rng, 5, "q1", "c1", form)
        second = conv(rng, "q1", (*shape[:2], 5), 5, "c2")
        q2 = requantize(rng, 5, "q2", "c2", form)
        total = Add(name="sum", inputs=("q1", "q2"))
        q3 = requantize(rng, 5, "q3", "sum", form)
        third = conv(rng, "q3", (*shape[:2], 5), 4, "c3", stride=2)
        found.append(
            build.graph(x, first, q1, second, q2, total, q3, third, requantize(rng, 4, "q4", "c3", form))
        )
    for size, minimum in ((2, [0] * 6), (2, [1] * 6), (2, [0, 1, 0, 0, 1, 1]), (1, [0] * 6)):
        net = Net("pooled", build.value("x", (12, 8, 2), "uint2"), rng)
        net.conv(6, "ternary", "c1").threshold("uint2", "t1")
        pool = MaxPool(
            name="pool",
            inputs=("t1",),
            kernel=(size, size),
            stride=(2, 2),
            minimum=np.array(minimum, np.uint8),
        )
        graph = net.graph()
        last = conv(rng, "pool", (6, 4, 6), 3, "c2")
        found.append(build.graph(graph.input, *graph.ops, pool, last))
    x = build.value("x", (6, 5, 40), "int8")
    long = Conv2d(
        name="c", inputs=("x",), weights=build.codes(rng, (11, 3, 3, 40), "bipolar"), weight_type="bipolar",
        bias=rng.integers(-50, 50, 11).astype(np.int32), pad=(1, 0, 1, 2), pad_value=-128,
    )  # fmt: skip
    found.append(build.graph(x, long, requantize(rng, 11, "q", "c")))
    return found
