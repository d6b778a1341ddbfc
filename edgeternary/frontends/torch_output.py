"""The end of a lowered model: an integer value of the graph and the one scale of its logits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.torch_values import Codes, Context, Lowered, Pending, column
from edgeternary.ir import Value
from edgeternary.passes.steps import CHUNK, WHOLE_INTERVAL_LIMIT


def output(c: Context, result: Lowered) -> tuple[str, float]:
    """Name of the output value and the logit scale: the chain after it must be one positive factor.

    Torch's logits are float32(integer) * float32(scale) for every integer that the value can be, which is
    tried for each of them.
    """
    if isinstance(result, Codes) and result.order is None:
        return result.name, 1.0
    if isinstance(result, Pending) and result.base.order is None:
        scale = _scale(result, c.values[result.base.name])
        if scale is not None:
            return result.base.name, scale
        raise EdgeTernaryError(
            f"the model ends in the float layer {result.chain[-1].layer!r}",
            "the output must be integers times one scale that all classes share, and nothing after it",
            "end the model with edgeternary.nn.Output, or with an Activation",
        )
    raise EdgeTernaryError(
        "the model's output is no integer value that a graph can name",
        "it is a constant, or a flattened map whose order differs from channels-last",
        "end the model with edgeternary.nn.Output",
    )


def _scale(result: Pending, value: Value) -> float | None:
    """The factor that the chain multiplies every integer of its base by, or None."""
    channels, rank = result.base.channels, len(result.base.shape)

    def logits(x: np.ndarray) -> Tensor | None:
        batch = column(np.broadcast_to(x, (channels, len(x))), rank)
        y = result(batch)
        return y.reshape(len(x), channels).double() if y.shape == batch.shape else None

    one = result(column(np.ones((channels, 1), np.int64), rank))
    scale = one.double().flatten()[0].float()
    if not 0 < float(scale) < float("inf"):
        return None
    width = max(1, CHUNK // channels)
    if len(result.chain) == 1 and result.chain[0].factor:
        ends = [np.unique(np.linspace(value.lo, value.hi, min(width, 1024)).astype(np.int64))]
    elif channels * (value.hi - value.lo + 1) <= WHOLE_INTERVAL_LIMIT:
        starts = range(value.lo, value.hi + 1, width)
        ends = [np.arange(a, min(a + width, value.hi + 1)) for a in starts]
    else:
        return None
    for x in ends:
        y = logits(x)
        wanted = (torch.from_numpy(x).float() * scale).double()[:, None]
        if y is None or not torch.equal(y, wanted.expand_as(y)):
            return None
    return float(scale)
