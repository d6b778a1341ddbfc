"""The requantize that equals thresholds: on every input, and none where there is none."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.ir import Value
from edgeternary.ops import Threshold, build
from edgeternary.passes.linear import linear

TOO_WIDE = {("mnist-mlp-w4", "act1")}  # codes of 4-bit weights on raw pixels, 8,000 apart


def thresholds(seed: int, type: str, lo: int, hi: int, channels: int = 12) -> tuple[Threshold, Value]:
    x = build.value("x", (channels,), "int32", lo, hi)
    op = build.uniform_thresholds(np.random.default_rng(seed), x, type)
    assert isinstance(op, Threshold)
    return op, x


def equal(op: Threshold, x: Value) -> bool:
    """Whether the requantize of `op` answers alike on the whole interval."""
    made = linear(op, x)
    assert made is not None and made.form(x) in ("A", "B")
    everything = np.repeat(np.arange(x.lo, x.hi + 1, dtype=np.int32)[:, None], x.channels, axis=1)
    return np.array_equal(made.ref(everything), op.ref(everything))


@pytest.mark.parametrize("type", ["ternary", "uint2", "uint3", "uint4", "int4"])
@pytest.mark.parametrize("seed", range(20))
def test_uniform_thresholds_are_a_requantize(type: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lo = int(rng.integers(-4000, 100))
    op, x = thresholds(seed, type, lo, lo + int(rng.integers(200, 6000)))
    assert equal(op, x)


@pytest.mark.parametrize(("lo", "hi"), [(-9, 4), (0, 1), (-60_000, 60_000), (-(2**31), 2**31 - 2)])
def test_never_a_different_one(lo: int, hi: int) -> None:
    """Several codes at one place; steps too wide for the digits of m."""
    for seed in range(40):
        op, x = thresholds(seed, "uint4", lo, hi, channels=3)
        assert linear(op, x) is None or hi - lo > 2**20 or equal(op, x)


def test_a_power_of_two_is_form_a() -> None:
    x = build.value("x", (1,), "int32", -500, 500)
    t = np.arange(-13, 137, 10, dtype=np.int32)[None] * 16 // 10
    op = Threshold(
        name="act", inputs=("x",), t=t, base=np.zeros(1, np.int32), step=np.ones(1, np.int32), type="uint4"
    )
    made = linear(op, x)
    assert made is not None and made.form(x) == "A" and equal(op, x)


def test_one_threshold_out_of_place_has_none() -> None:
    op, x = thresholds(3, "uint4", -3000, 3000)
    inside = (op.t > x.lo).all(axis=1) & (op.t <= x.hi).all(axis=1) & (op.step != 0)
    channel = int(np.flatnonzero(inside)[0])
    t = op.t.copy()
    t[channel, 7] += 3
    assert linear(msgspec.structs.replace(op, t=t), x) is None


def test_bipolar_codes_have_none() -> None:
    x = build.value("x", (4,), "int32", -90, 90)
    op = build.random_thresholds(np.random.default_rng(0), x, "bipolar")
    assert isinstance(op, Threshold) and linear(op, x) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.names())
def test_trained_networks(name: str) -> None:
    """4-bit activations, as batch-norm and a learned scale make them."""
    graph = zoo.load(name)
    for op in graph.ops:
        if isinstance(op, Threshold) and op.t.shape[1] >= 7:
            (x,) = graph.ins(op)
            made = linear(op, x)
            assert (made is None) == ((name, op.name) in TOO_WIDE)
            if made is None:
                continue
            steps = np.arange(-2, 3, dtype=np.int32)[None, :, None]
            near = (op.t.T[:, None, :] + steps).reshape(-1, x.channels)
            xs = np.clip(
                np.concatenate([near, np.full((1, x.channels), x.lo), np.full((1, x.channels), x.hi)]),
                x.lo,
                x.hi,
            )
            xs = xs.astype(np.int32)
            np.testing.assert_array_equal(made.ref(xs), op.ref(xs))
