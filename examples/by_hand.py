"""An integer graph without PyTorch: two layers written down by hand, checked, saved, and run.

python examples/by_hand.py
"""

from __future__ import annotations

import numpy as np

import edgeternary
from edgeternary.ir import Graph, Value, parse
from edgeternary.ops import Dense, Threshold

# Four pixels, 0..255, through a ternary dense layer: acc = W x + bias.
pixels = Value("pixels", (4,), parse("uint8"), 0, 255)
dense = Dense(
    name="fc",
    inputs=("pixels",),
    weights=np.array([[1, -1, 0, 1], [0, 1, 1, -1], [-1, -1, 1, 0]], np.int8),
    weight_type="ternary",
    bias=np.array([0, 5, 300], np.int32),
)
# Three binary neurons: y = -1 + 2 * count(acc >= t).
sign = Threshold(
    name="sign",
    inputs=("fc",),
    t=np.array([[10], [100], [250]], np.int32),
    base=np.full(3, -1, np.int32),
    step=np.full(3, 2, np.int32),
    type="bipolar",
)
# Building a graph checks it: shapes, types, the interval of every value, and that no accumulator overflows.
graph = Graph("by_hand", pixels, (dense, sign), "sign")

if __name__ == "__main__":
    from edgeternary.ir.text import dump
    from edgeternary.run import run

    print(dump(graph))
    edgeternary.save(graph, "by_hand.et")
    x = np.array([[0, 0, 0, 0], [255, 0, 10, 20], [1, 200, 90, 3]])
    print("outputs", run(edgeternary.load("by_hand.et"), x, on="numpy").outputs.tolist())
