"""The anomaly score in the graph: the sum of squared differences between the input's codes and their copy."""

from dataclasses import replace

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Op
from edgeternary.ops import Add, Lookup, Mul, Requantize, Reshape, SumPool
from edgeternary.passes.fixed_point import fixed_point

LO, HI = -128, 127


def with_score(graph: Graph, steps: float) -> Graph:
    """An autoencoder (n,) int8 -> (n,) int32 with its score as the one output, int32 (1,).

        copy = clamp(round(steps * logit), -128, 127)        logit = output * logit_scale
        score = sum((copy - input)^2)

    steps: codes for a unit of the logits. The rounding is half up, with a 16-bit multiplier.
    """
    x, y = graph.inputs[0], graph.values[graph.outputs[0]]
    if len(graph.outputs) != 1 or len(x.shape) != 1 or x.shape != y.shape or x.type.name != "int8":
        raise EdgeTernaryError(
            f"model {graph.name!r} is no autoencoder of int8 vectors",
            f"it makes {y.shape} of {x.type} {x.shape}",
        )
    n = x.shape[0]
    gain = np.full(n, steps * graph.meta.of_output(y.name).one_scale("the score"))
    m, b, s = (a.astype(np.int32) for a in fixed_point(gain, np.zeros(n), max(abs(y.lo), abs(y.hi))))
    minus = -np.arange(LO, HI + 1, dtype=np.int32)
    ops: list[Op] = [
        Requantize(
            name="copied", inputs=(y.name,), m=m, b=b, s=s, zero=0, lo=LO, hi=HI, rounding="half_up",
            type="int8",
        ),
        Lookup(name="minus", inputs=(x.name,), table=minus, offset=LO, type="int9"),
        Add(name="difference", inputs=("copied", "minus")),
        Mul(name="square", inputs=("difference", "difference")),
        Reshape(name="row", inputs=("square",), shape=(1, n, 1)),
        SumPool(name="sum", inputs=("row",), kernel=(1, n), stride=(1, n)),
        Reshape(name="score", inputs=("sum",), shape=(1,)),
    ]  # fmt: skip
    meta = msgspec.structs.replace(graph.meta, logit_scale=1.0 / (steps * steps * n), labels=())
    values = dict(graph.values)
    for op in ops:
        values[op.name] = op.infer([values[name] for name in op.inputs])
    return replace(graph, ops=(*graph.ops, *ops), outputs=("score",), meta=meta)
