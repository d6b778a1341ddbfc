"""A network that every back end makes in a moment."""

import numpy as np

from edgeternary.ir import Graph
from edgeternary.ops import build
from edgeternary.ops.dense import Dense


def small() -> Graph:
    """Two sums of four codes."""
    layer = Dense(
        name="fc", inputs=("x",), weights=np.array([[1, -1, 0, 1], [0, 1, 1, -1]], np.int8),
        weight_type="ternary", bias=np.zeros(2, np.int32),
    )  # fmt: skip
    return build.graph(build.value("x", (4,), "uint4"), layer, name="little")
