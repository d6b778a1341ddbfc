"""The smallest network with every stage of the demo models, for trying out tools."""

import numpy as np

from edgeternary.ir import Graph, Meta
from edgeternary.ops import Conv2d, Dense, MaxPool, Reshape, Threshold, build


def tiny_graph() -> Graph:
    """6x6 uint8 image -> ternary 3x3 convolution, 2x2 pool, 2-bit activation, dense: 3 logits."""
    rng = np.random.default_rng(1)
    x = build.value("image", (6, 6, 1), "uint8")
    conv = Conv2d(
        name="conv",
        inputs=("image",),
        weights=build.codes(rng, (4, 3, 3, 1), "ternary"),
        weight_type="ternary",
        bias=np.zeros(4, np.int32),
        stride=(1, 1),
        pad=(1, 1, 1, 1),
        pad_value=0,
        groups=1,
    )
    act = Threshold(
        name="act",
        inputs=("conv",),
        t=np.tile(np.array([-100, 50, 200], np.int32), (4, 1)),
        base=np.zeros(4, np.int32),
        step=np.ones(4, np.int32),
        type="uint2",
    )
    pool = MaxPool(
        name="pool",
        inputs=("act",),
        kernel=(2, 2),
        stride=(2, 2),
        pad=(0, 0, 0, 0),
        minimum=np.zeros(4, np.uint8),
    )
    flat = Reshape(name="flat", inputs=("pool",), shape=(36,))
    fc = Dense(
        name="fc",
        inputs=("flat",),
        weights=build.codes(rng, (3, 36), "ternary"),
        weight_type="ternary",
        bias=np.array([1, -2, 3], np.int32),
    )
    return Graph("tiny", x, (conv, act, pool, flat, fc), "fc", meta=Meta(labels=("a", "b", "c")))
