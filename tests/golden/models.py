"""Two small models whose weights are given by a formula, so that no random generator is involved."""

from __future__ import annotations

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ops import Conv2d, Dense, MaxPool, Reshape, Threshold, build
from edgeternary.passes import optimize


def ternary(*shape: int) -> np.ndarray:
    """Codes -1, 0, +1 without a short period."""
    k = np.arange(np.prod(shape))
    return ((k * k * 7 + k // 5) % 3 - 1).astype(np.int8).reshape(shape)


def thresholds(channels: int, levels: int, lo: int, hi: int) -> np.ndarray:
    """Ascending rows inside [lo, hi]."""
    k = np.arange(channels * levels).reshape(channels, levels)
    return np.sort(lo + (k * 37) % (hi - lo + 1), axis=1).astype(np.int32)


def mlp() -> Graph:
    """12 pixels, 8 bipolar neurons with a negative, a constant and a plain step, 3 classes."""
    base, step = np.full(8, -1, np.int32), np.full(8, 2, np.int32)
    base[1], step[1], step[2] = 1, -2, 0
    return build.graph(
        build.value("pixels", (12,), "uint8"),
        Dense(
            name="fc1",
            inputs=("pixels",),
            weights=ternary(8, 12),
            weight_type="ternary",
            bias=np.zeros(8, np.int32),
        ),
        Threshold(
            name="act1", inputs=("fc1",), t=thresholds(8, 1, -200, 200), base=base, step=step, type="bipolar"
        ),
        Dense(
            name="fc2",
            inputs=("act1",),
            weights=ternary(3, 8),
            weight_type="ternary",
            bias=np.arange(3, dtype=np.int32),
        ),
        name="golden-mlp",
    )


def cnn() -> Graph:
    """A 6x6 image, a padded convolution, 2-bit codes, a pool that sinks to after the threshold, 3 classes."""
    return optimize(
        build.graph(
            build.value("image", (6, 6, 1), "uint8"),
            Conv2d(
                name="conv1", inputs=("image",), weights=ternary(4, 3, 3, 1), weight_type="ternary",
                bias=np.zeros(4, np.int32), pad=(1, 1, 1, 1),
            ),
            MaxPool(
                name="pool1", inputs=("conv1",), kernel=(2, 2), stride=(2, 2), minimum=np.zeros(4, np.uint8)
            ),
            Threshold(
                name="act1", inputs=("pool1",), t=thresholds(4, 3, -90, 90), base=np.zeros(4, np.int32),
                step=np.ones(4, np.int32), type="uint2",
            ),
            Reshape(name="flat", inputs=("act1",), shape=(36,)),
            Dense(
                name="fc", inputs=("flat",), weights=ternary(3, 36), weight_type="ternary",
                bias=np.zeros(3, np.int32),
            ),
            name="golden-cnn",
        )
    )  # fmt: skip


MODELS = {"mlp": mlp, "cnn": cnn}
