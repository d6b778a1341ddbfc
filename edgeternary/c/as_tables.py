"""Layers whose sums have few terms, and whose inputs and outputs are bits, as tables."""

from __future__ import annotations

import numpy as np

from edgeternary.c.kernel import Match
from edgeternary.ops import Conv2d, Dense, Lut, Threshold
from edgeternary.ops.bits import BITS
from edgeternary.ops.lut import MOST_PINS


def as_lut(match: Match) -> Lut | None:
    """The lut op of a match, or the one that equals its sums and thresholds; None where there is none."""
    op, x, out = match.ops[0], match.ins[0], match.out
    if isinstance(op, Lut):
        return op
    follow = match.follow
    if not isinstance(op, Dense | Conv2d) or not isinstance(follow, Threshold):
        return None
    if x.type.name not in BITS or out.type.name not in BITS:
        return None
    outputs = len(op.bias)
    weights = op.weights.reshape(outputs, -1).astype(np.int32)
    live = np.count_nonzero(weights, axis=1)
    if live.max() > MOST_PINS:
        return None
    kernel, stride, pad, groups = (1, 1), (1, 1), (0, 0, 0, 0), 1
    if isinstance(op, Conv2d):
        kernel, stride, pad, groups = op.kernel, op.stride, op.pad, op.groups
        if any(pad) and op.pad_value != x.type.lo:
            return None
    pins = max(int(live.max()), 1)
    each = x.channels // groups
    wiring = np.full((outputs, pins), -1, np.int32)
    terms = np.zeros((outputs, pins), np.int32)
    for o, row in enumerate(weights):
        used = np.flatnonzero(row)
        terms[o, : len(used)] = row[used]
        place, channel = np.divmod(used, each)
        wiring[o, : len(used)] = place * x.channels + o // (outputs // groups) * each + channel
    bits = np.arange(1 << pins)[:, None] >> np.arange(pins) & 1
    sums = np.where(bits, x.type.hi, x.type.lo).astype(np.int32) @ terms.T + op.bias
    tables = follow.ref(sums.astype(np.int32)).T.astype(np.int8)
    return Lut(
        name=follow.name, inputs=op.inputs, wiring=wiring, tables=tables, type=out.type.name, kernel=kernel,
        stride=stride, pad=pad,
    )  # fmt: skip
