"""sink_pool: thresholds before pools, the same outputs, no exchange where another layer reads the pool."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.ir import Graph
from edgeternary.ops import Add, MaxPool, Requantize, Upsample, build
from edgeternary.passes.sink_pool import sink_pool
from edgeternary.run import run
from tests.registry.graphs import inputs, tiny_cnn


def pooled(seed: int, type: str = "uint2", kernel: int = 2, stride: int = 2, pad: int = 0) -> Graph:
    """A pool with minimum channels, then thresholds with steps of both signs and constant channels."""
    rng = np.random.default_rng(seed)
    x = build.value("x", (7, 6, 9), "int32", -40, 35)
    minimum = rng.integers(0, 2, 9).astype(np.uint8)
    pool = MaxPool(
        name="pool", inputs=("x",), kernel=(kernel, kernel), stride=(stride, stride), pad=(pad, 0, pad, pad),
        minimum=minimum,
    )  # fmt: skip
    act = build.random_thresholds(rng, build.graph(x, pool).output_value, type, "act", "pool")
    return build.graph(x, pool, act)


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["bipolar", "binary", "ternary", "uint2", "int3"]),
    st.integers(1, 3), st.integers(1, 3), st.integers(0, 2),
)  # fmt: skip
def test_the_exchange_is_exact(seed: int, type: str, kernel: int, stride: int, pad: int) -> None:
    graph = pooled(seed, type, kernel, stride, min(pad, kernel - 1))
    found = sink_pool(graph)
    assert [op.kind for op in found.ops] == ["threshold", "max_pool"]
    assert found.output == "act"
    codes = inputs(graph, 6, seed)
    np.testing.assert_array_equal(run(found, codes).outputs, run(graph, codes).outputs)


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["floor", "half_up", "tflite_double"]), st.integers(1, 3),
    st.integers(1, 3), st.integers(0, 2),
)  # fmt: skip
def test_the_exchange_with_a_requantize_is_exact(
    seed: int, rounding: str, kernel: int, stride: int, pad: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = pooled(seed, kernel=kernel, stride=stride, pad=min(pad, kernel - 1)).op("pool")
    x = build.value("x", (7, 6, 9), "int32", -400, 350)
    double = rounding == "tflite_double"
    m = rng.integers(0, 2**31 - 1, 9) if double else rng.integers(-300, 301, 9) * rng.integers(0, 2, 9)
    b = np.zeros(9) if double else rng.integers(-5000, 5001, 9)
    act = Requantize(
        name="act", inputs=("pool",), m=m.astype(np.int32), b=b.astype(np.int32),
        s=(np.full(9, 33) if double else rng.integers(0, 12, 9)).astype(np.int32), zero=3, lo=-128, hi=127,
        rounding=rounding, type="int8",
    )  # fmt: skip
    graph = build.graph(x, pool, act)
    found = sink_pool(graph)
    assert [op.kind for op in found.ops] == ["requantize", "max_pool"]
    codes = inputs(graph, 6, seed)
    np.testing.assert_array_equal(run(found, codes).outputs, run(graph, codes).outputs)


@pytest.mark.parametrize("fill", ["repeat", "zero"])
def test_thresholds_come_before_repeated_pixels(fill: str) -> None:
    graph = pooled(6)
    larger = Upsample(name="pool", inputs=("x",), factor=(2, 3), fill=fill)
    act = build.random_thresholds(
        np.random.default_rng(6), build.graph(graph.input, larger).output_value, "uint2", "act", "pool"
    )
    graph = build.graph(graph.input, larger, act)
    found = sink_pool(graph)
    assert (found is graph) == (fill == "zero")
    kinds = [op.kind for op in found.ops]
    assert kinds == (["upsample", "threshold"] if fill == "zero" else ["threshold", "upsample"])
    codes = inputs(graph, 6)
    np.testing.assert_array_equal(run(found, codes).outputs, run(graph, codes).outputs)


def test_falling_channels_take_the_minimum() -> None:
    graph = pooled(3)
    before, act = graph.ops
    after = sink_pool(graph).op("act")
    assert isinstance(before, MaxPool) and isinstance(after, MaxPool)
    falls = act.step < 0  # type: ignore[attr-defined]
    assert falls.any() and not falls.all()
    np.testing.assert_array_equal(after.minimum[falls], 1 - before.minimum[falls])
    np.testing.assert_array_equal(after.minimum[~falls], before.minimum[~falls])


def test_no_int32_map_is_pooled_any_more() -> None:
    found = sink_pool(tiny_cnn())
    pools = [op for op in found.ops if isinstance(op, MaxPool)]
    assert pools and all(found.values[pool.name].type.bits <= 2 for pool in pools)


def test_a_pool_that_others_read_stays() -> None:
    graph = pooled(4)
    extra = Add(name="y", inputs=("pool", "pool"))
    both = replace(graph, ops=(*graph.ops, extra), outputs=("y",))
    assert sink_pool(both) is both
    shown = replace(graph, outputs=("pool",))
    assert sink_pool(shown) is shown


@pytest.mark.parametrize("name", ["x", "p" * 200])
def test_the_new_name_is_free_and_not_too_long(name: str) -> None:
    graph = pooled(5)
    pool, act = graph.ops
    other = "pool.codes" if name == "x" else name
    if name == "x":
        ops = (msgspec.structs.replace(pool, inputs=(other,)), act)
        changed = replace(graph, inputs=(replace(graph.input, name=other),), ops=ops)
    else:
        ops = (msgspec.structs.replace(pool, name=name), msgspec.structs.replace(act, inputs=(name,)))
        changed = replace(graph, ops=ops)
    codes = inputs(graph, 4)
    np.testing.assert_array_equal(run(sink_pool(changed), codes).outputs, run(graph, codes).outputs)
