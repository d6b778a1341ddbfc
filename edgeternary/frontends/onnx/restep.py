"""An affine function after thresholds, one for each channel, as the base and step of these thresholds.

FINN and other tools write y = base[c] + step[c] * count in that way: MultiThreshold, Mul, Add.
"""

from __future__ import annotations

import msgspec
import numpy as np

from edgeternary.frontends.onnx.scales import measured
from edgeternary.frontends.onnx.values import Context, Live
from edgeternary.ir import smallest
from edgeternary.ops import Threshold

MOST_STEP = 2


def restepped(c: Context, x: Live) -> tuple[Live, float] | None:
    """x with its functions in the thresholds before it, and the scale of its codes; None for other functions.

    x then has no chain. Nothing but x reads these thresholds yet.
    """
    op = c.ops[-1] if c.ops else None
    if not isinstance(op, Threshold) or op.name != x.base:
        return None
    count = op.t.shape[1]
    codes = op.base.astype(np.int64)[:, None] + op.step.astype(np.int64)[:, None] * np.arange(count + 1)
    numbers = np.broadcast_to(np.asarray(x(codes), np.float64), codes.shape)
    found = measured(numbers.reshape(1, -1))
    if found is None:
        return None
    whole, scale = found[0].reshape(codes.shape), float(found[1][0])
    step = whole[:, 1] - whole[:, 0]
    if np.any(np.diff(whole, axis=1) != step[:, None]) or np.abs(step).max(initial=0) > MOST_STEP:
        return None
    flat = whole[step == 0, 0]
    pair = set(np.unique(whole)) <= {-1, 1} and np.all(np.abs(flat) == 1)
    kind = "bipolar" if pair else smallest(int(whole.min()), int(whole.max())).name
    made = msgspec.structs.replace(
        op, base=whole[:, 0].astype(np.int32), step=step.astype(np.int32), type=kind
    )
    c.ops[-1] = made
    c.values[op.name] = made.infer([c.values[name] for name in made.inputs])
    return Live(x.base, x.shape, x.order), scale
