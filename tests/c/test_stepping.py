"""Thresholds rewritten for generated code mean what the op means, whatever stands between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.c.stepping import Stepping
from edgeternary.ir import IntArray
from edgeternary.ops import Threshold, build
from edgeternary.passes.affine import Affine


def evaluate(stepping: Stepping, raw: IntArray) -> IntArray:
    reached = raw[..., None] < stepping.t if stepping.below else raw[..., None] >= stepping.t
    return (stepping.base + stepping.step * reached.sum(axis=-1)).astype(np.int32)


@given(
    seed=st.integers(0, 10**6),
    type=st.sampled_from(["bipolar", "binary", "ternary", "uint2", "int2", "int3", "uint4", "uint5"]),
    gain=st.sampled_from([1, -1, 2, -2, 4]),
    flip=st.booleans(),
    spread=st.booleans(),
)
def test_rewriting_keeps_the_meaning(seed: int, type: str, gain: int, flip: bool, spread: bool) -> None:
    rng = np.random.default_rng(seed)
    channels = 6
    raw_lo, raw_hi = -5, 40
    offset = rng.integers(-30, 30, channels)
    ends = np.stack([gain * raw_lo + offset, gain * raw_hi + offset])
    x = build.value("x", (channels,), "int32", int(ends.min()), int(ends.max()))
    op = build.random_thresholds(rng, x, type)
    assert isinstance(op, Threshold)
    raw = np.arange(raw_lo, raw_hi + 1)[:, None] + np.zeros(channels, int)
    expected = op.ref((gain * raw + offset).astype(np.int32))
    stepping = Stepping.of(op)
    negate = op.step < 0 if flip else np.zeros(channels, bool)
    sign = np.where(negate, -1, 1)
    stepping = stepping.negate(negate)
    stepping = stepping.spread() if spread else stepping
    # The kernel computes -acc for negated channels: offset and gain are those of what it computes.
    computed = (gain * raw + offset) * sign
    for c in range(channels):
        single = Stepping(stepping.t[[c]], stepping.base[[c]], stepping.step[[c]], stepping.type)
        single = single.on_raw(Affine(int(gain * sign[c]), (offset * sign)[[c]], raw_lo, raw_hi))
        np.testing.assert_array_equal(evaluate(single, raw[:, [c]])[:, 0], expected[:, c])
    np.testing.assert_array_equal(evaluate(stepping, computed), expected)


@pytest.mark.parametrize("type", ["bipolar", "ternary", "uint2", "int3", "uint4"])
def test_negated_channels_count_upwards(type: str) -> None:
    x = build.value("x", (40,), "int32", -90, 90)
    op = build.random_thresholds(np.random.default_rng(0), x, type)
    assert isinstance(op, Threshold)
    assert not Stepping.of(op).spread().direct
    assert Stepping.of(op).negate(op.step < 0).spread().direct
