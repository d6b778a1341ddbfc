"""Thresholds at equal distances as a shift and a clamp."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.c.products.equidistant import equidistant
from edgeternary.ir import parse
from edgeternary.ops import Threshold, build
from edgeternary.passes.affine import Affine

LO, HI = -40, 60


def result(type: str, t: np.ndarray, offset: np.ndarray, negate: np.ndarray) -> None:
    """The codes of every accumulator, from the requantize of raw sums."""
    kind = parse(type)
    ones = np.ones(len(t), np.int32)
    step = (2 if type == "bipolar" else 1) * np.where(negate, -1, 1).astype(np.int32)
    base = np.where(negate, kind.hi, kind.lo).astype(np.int32) * ones
    op = Threshold(name="act", inputs=("acc",), t=t.astype(np.int32), base=base, step=step, type=type)
    acc = build.value("acc", (len(t),), "int32", LO, HI)
    out = op.infer([acc])
    affine = Affine(1, np.where(negate, -offset, offset), -200, 200)
    found = equidistant(op, (acc, out), affine, negate)
    assert found is not None
    numbers = {table.name: table.data.astype(np.int64) for table in found.tables}
    m, b, s = (numbers.get(name, found.fields.get(name)) for name in ("m", "b", "s"))
    for code in range(LO, HI + 1):
        raw = np.where(negate, -code, code) - affine.offset
        y = np.clip((raw * m + b) >> s, kind.lo, kind.hi)
        np.testing.assert_array_equal(y, op.ref(np.full((1, len(t)), code, np.int32))[0])


@pytest.mark.parametrize("type", ["ternary", "bipolar", "uint2", "int3", "uint4"])
@pytest.mark.parametrize("shared", [True, False])
def test_all_accumulators(type: str, shared: bool) -> None:
    """Thresholds inside the interval, some or all beyond its ends; channels that rise and that fall."""
    rng, kind = np.random.default_rng(len(type)), parse(type)
    levels = 1 if type == "bipolar" else kind.hi - kind.lo
    channels = 24
    shift = np.full(channels, 2) if shared else rng.integers(0, 6, channels)
    first = rng.integers(-150, 100, channels)
    t = np.clip(first[:, None] + (np.arange(levels) << shift[:, None]), LO, HI + 1)
    result(type, t, rng.integers(-30, 30, channels), rng.choice([False, True], channels))


def test_other_distances() -> None:
    op = Threshold(
        name="act", inputs=("acc",), t=np.array([[-8, 3, 20]], np.int32), base=np.zeros(1, np.int32),
        step=np.ones(1, np.int32), type="uint2",
    )  # fmt: skip
    acc = build.value("acc", (1,), "int32", LO, HI)
    none = np.zeros(1, bool)
    assert equidistant(op, (acc, op.infer([acc])), Affine(1, np.zeros(1, np.int64), LO, HI), none) is None
