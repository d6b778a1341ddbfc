"""Requantize with long multipliers: each form is the op on its whole interval, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeternary import cores
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.rescale.doubled import doubled
from edgeternary.c.rescale.high import High, high
from edgeternary.c.rescale.narrowed import narrowed
from edgeternary.c.rescale.parts import Parts, parts
from edgeternary.c.select import select
from edgeternary.ir import Graph, IntArray, Value, parse
from edgeternary.ops import Dense, Requantize, build
from edgeternary.run import run
from edgeternary.run.cortex_m import run_plan
from tests.need import need

CHANNELS = 6
TYPES = ("int8", "uint8", "uint5", "int16")
ROUNDINGS = ("floor", "half_up", "tflite_single", "tflite_double")


def drawn(seed: int, rounding: str, type: str, bits: int | None = None) -> tuple[Requantize, Value]:
    """Multipliers as imported models have them, a channel of zeros, a clamp within the type."""
    rng = np.random.default_rng(seed)
    reach = int(rng.integers(1 << 7, 1 << (bits or int(rng.integers(8, 24)))))
    x = build.value("x", (CHANNELS,), "int32", -reach, int(rng.integers(0, reach)))
    out = parse(type)
    lo = out.lo if seed % 3 else max(out.lo, out.hi - int(rng.integers(2, 200)))
    m = rng.integers(1 << 30, 1 << 31, CHANNELS)
    s = 31 + np.clip(np.log2(reach / (out.hi - out.lo)).astype(int) + rng.integers(-2, 3, CHANNELS), 1, 20)
    m[rng.integers(CHANNELS)] = 0 if rounding != "tflite_double" else m[0]
    b = rng.integers(-(2**31), 2**31, CHANNELS) * (rounding != "tflite_double")
    zero = int(rng.integers(lo, out.hi + 1))
    op = Requantize(
        name="q", inputs=("x",), m=m.astype(np.int32), b=b.astype(np.int32), s=s.astype(np.int32),
        zero=zero, lo=lo, hi=out.hi, rounding=rounding, type=type,
    )  # fmt: skip
    return op, x


def places(op: Requantize, x: Value) -> IntArray:
    """(n, C) accumulators: both sides of every step, the ends of the interval, zero and some others."""
    rng = np.random.default_rng(0)
    codes = np.arange(op.lo, op.hi + 1)[:: max((op.hi - op.lo) // 300, 1)]
    gain = np.ldexp(op.m.astype(np.float64), -op.s)
    steps = (codes[:, None] - op.zero - 0.5) / np.maximum(gain, 1e-9)
    near = np.concatenate([np.rint(steps) + d for d in range(-3, 4)])
    more = rng.integers(x.lo, x.hi + 1, (200, x.channels))
    ends = np.array([x.lo, x.lo + 1, x.hi - 1, x.hi, -1, 0, 1])[:, None] + np.zeros(x.channels)
    return np.concatenate([near, more, ends]).clip(x.lo, x.hi).astype(np.int32)


def by_high(found: High, op: Requantize, acc: IntArray) -> IntArray:
    """What the generated code computes, in the same widths."""
    word = (acc * found.m + found.start) >> 32
    word += acc * found.wraps + (acc >> 31) * found.signs
    assert np.abs(word).max() < 2**31
    return (word >> found.shift).clip(op.lo, op.hi)


def by_parts(found: Parts, op: Requantize, acc: IntArray) -> IntArray:
    fields, (table,) = found.fields(np.zeros(acc.shape[1], np.int64))
    q = table.data.T
    d = acc.astype(np.int32).view(np.uint32) + q[0]
    p = d * q[2]
    for k in range(1, found.count):
        p = p + q[-1] if found.fine and k == found.count - 1 else p
        p = (p >> np.uint32(found.h)) + d * q[2 + k]
    p = p + q[2 + found.count]
    if found.signs:
        p = p - np.where(d < q[4 + found.count], q[3 + found.count], np.uint32(0))
    inside = p.view(np.int32) >> int(str(fields["shift"]))
    return np.where(d <= q[1], inside, np.where(d.view(np.int32) < 0, op.lo, op.hi))


@given(seed=st.integers(0, 10**6), rounding=st.sampled_from(ROUNDINGS), type=st.sampled_from(TYPES))
@settings(max_examples=60, deadline=None)
def test_each_form_is_the_op(seed: int, rounding: str, type: str) -> None:
    op, x = drawn(seed, rounding, type)
    acc = places(op, x)
    expected = op.ref(acc)
    long, short = high(op, x), parts(op, x)
    assert long is not None
    np.testing.assert_array_equal(by_high(long, op, acc.astype(np.int64)), expected)
    assert short is not None or type == "int16" or rounding == "tflite_double", "one of 8 bits has no parts"
    if short is not None:
        np.testing.assert_array_equal(by_parts(short, op, acc), expected)


@given(seed=st.integers(0, 10**6), rounding=st.sampled_from(ROUNDINGS))
@settings(max_examples=40, deadline=None)
def test_form_b_takes_the_place_of_an_equal_form_c(seed: int, rounding: str) -> None:
    op, x = drawn(seed, rounding, "uint5", bits=11)
    graph = build.graph(x, op)
    (found,) = narrowed(graph).ops
    acc = places(op, x)
    np.testing.assert_array_equal(found.ref(acc), op.ref(acc))
    if rounding != "tflite_double" and op.s.max() - op.s.min() < 2:
        assert isinstance(found, Requantize) and rescale.form(found, x) == "B"


@given(seed=st.integers(0, 10**6), rounding=st.sampled_from(ROUNDINGS), type=st.sampled_from(TYPES))
@settings(max_examples=60, deadline=None)
def test_a_doubled_product_is_the_op(seed: int, rounding: str, type: str) -> None:
    """Of raw sums, to which a bias is added; both ends of the interval are beyond the codes."""
    op, x = drawn(seed, rounding, type)
    op = Requantize(
        **{name: getattr(op, name) for name in op.__struct_fields__} | {"m": np.maximum(op.m, 1 << 30)}
    )
    offset = np.random.default_rng(seed).integers(-3000, 3000, CHANNELS)
    found, acc = doubled(op, x, offset), places(op, x).astype(np.int64)
    if found is not None:
        np.testing.assert_array_equal(found.codes(acc - offset).clip(op.lo, op.hi), op.ref(acc))
    near = np.abs(op.b).max() < 2**31 and op.s.max() - op.s.min() < 3 and x.hi - x.lo < 2**18
    assert found is not None or type == "int16" or rounding == "tflite_double" or not near


def graphs(rounding: str, type: str) -> list[tuple[Graph, IntArray]]:
    """The op alone, and after a layer whose bias the constants can hold."""
    op, x = drawn(3, rounding, type, 17)
    acc = places(op, x)
    acc = np.concatenate([acc, acc[: -len(acc) % 50]])[: len(acc) // 50 * 50]
    pixels = build.value("x", (1, 50, CHANNELS), "int32", x.lo, x.hi)
    alone = build.graph(pixels, op, name="alone")
    layer = Dense(
        name="layer", inputs=("x",), weights=np.arange(1, CHANNELS + 1, dtype=np.int8)[:, None],
        weight_type="int8", bias=np.arange(-3000, 3000, 1000, dtype=np.int32),
    )  # fmt: skip
    again = Requantize(**{name: getattr(op, name) for name in op.__struct_fields__} | {"inputs": ("layer",)})
    codes = build.value("x", (1,), "int16", -3000, 3000)
    return [
        (alone, acc.reshape(-1, 1, 50, CHANNELS)),
        (
            build.graph(codes, layer, again, name="layered"),
            np.arange(-3000, 3000, 7, dtype=np.int32)[:, None],
        ),
    ]


@pytest.mark.parametrize("type", ["int8", "int16"])
@pytest.mark.parametrize("rounding", ["half_up", "tflite_double"])
def test_on_this_machine(rounding: str, type: str) -> None:
    need("zig|gcc|clang")
    for graph, inputs in graphs(rounding, type):
        np.testing.assert_array_equal(run(graph, inputs, on="host").outputs, run(graph, inputs).outputs)


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4"])
@pytest.mark.parametrize("rounding", ["half_up", "tflite_double"])
def test_on_a_cortex_m(rounding: str, core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    for graph, inputs in graphs(rounding, "int8"):
        np.testing.assert_array_equal(run(graph, inputs, on=core).outputs, run(graph, inputs).outputs)


@pytest.mark.emulator
@pytest.mark.system
@pytest.mark.parametrize("rounding", ["half_up", "tflite_double"])
@pytest.mark.parametrize(("core", "most"), [("cortex-m4", 12.5), ("cortex-m0plus", 28)])
def test_instructions_of_an_element(core: str, most: float, rounding: str) -> None:
    """Loads, stores and the loop included; estimates are near."""
    need("arm-none-eabi-gcc", "unicorn", "capstone")
    rng = np.random.default_rng(5)
    x = build.value("x", (4, 8, 64), "int32", -90000, 90000)
    op = Requantize(
        name="q", inputs=("x",), m=rng.integers(1 << 30, 1 << 31, 64).astype(np.int32),
        b=np.zeros(64, np.int32), s=rng.integers(38, 40, 64).astype(np.int32), zero=-3, lo=-128, hi=127,
        rounding=rounding, type="int8",
    )  # fmt: skip
    graph = build.graph(x, op)
    inputs = np.clip(rng.normal(0, 12000, (2, *x.shape)), x.lo, x.hi).astype(np.int32)
    plan = select(graph, core)
    found = run_plan(plan, inputs, options={"compiler": "gcc", "opt_level": "2", "count": 2})
    np.testing.assert_array_equal(found.outputs, run(graph, inputs).outputs)
    instructions, cycles = (float(str(found.stats[name])) for name in ("instructions", "cycles"))
    assert instructions / x.size <= most
    assert 0.85 < plan.cycles / cycles < 1.15


@pytest.mark.system
@pytest.mark.parametrize("rounding", ["half_up", "tflite_double"])
def test_four_elements_at_a_time(rounding: str) -> None:
    """In vector registers; a rest of channels, and instructions of an element."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    rng = np.random.default_rng(6)
    x = build.value("x", (3, 5, 27), "int32", -90000, 90000)
    op = Requantize(
        name="q", inputs=("x",), m=rng.integers(1 << 30, 1 << 31, 27).astype(np.int32),
        b=np.zeros(27, np.int32), s=rng.integers(38, 40, 27).astype(np.int32), zero=-3, lo=-128, hi=127,
        rounding=rounding, type="int8",
    )  # fmt: skip
    graph = build.graph(x, op)
    inputs = np.concatenate(
        [rng.integers(x.lo, x.hi + 1, (1, *x.shape)), np.resize(places(op, x), (40, *x.shape))]
    )
    plan = select(graph, "cortex-m55")
    found = run_plan(plan, inputs.astype(np.int32), options={"compiler": "gcc", "opt_level": "2", "count": 2})
    np.testing.assert_array_equal(found.outputs, run(graph, inputs.astype(np.int32)).outputs)
    assert float(str(found.stats["instructions"])) / x.size <= 5


def test_channels_that_fall_keep_the_op() -> None:
    op, x = drawn(1, "half_up", "int8", 20)
    falling = Requantize(**{name: getattr(op, name) for name in op.__struct_fields__} | {"m": -op.m})
    assert parts(falling, x) is None
    assert rescale.short_of(falling, x, cores.core("cortex-m0plus")) is None
    found = high(falling, x)
    assert found is not None
    np.testing.assert_array_equal(
        by_high(found, falling, places(op, x).astype(np.int64)), falling.ref(places(op, x))
    )
