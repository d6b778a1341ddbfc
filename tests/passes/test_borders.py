"""Every proof that nothing leaves int32, at both ends: the border itself is accepted, one more is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Value
from edgeternary.ops import Add, Conv2d, Dense, Mul, Requantize, SumPool, accumulate, build, elementwise
from edgeternary.ops import conv2d as conv2d_module
from edgeternary.ops import dense as dense_module
from edgeternary.ops import requantize as requantize_module
from edgeternary.ops import sum_pool as sum_pool_module
from edgeternary.run import run

MOST = 2**31 - 1


def upto(shape: tuple[int, ...], end: int) -> Value:
    """A value between 0 and `end`, whatever its sign."""
    return build.value("x", shape, "int32", min(end, 0), max(end, 0))


def sums(bias: int) -> dict[str, Any]:
    return {"weight_type": "int8", "bias": np.array([bias], np.int32)}


def layer(weights: np.ndarray, sign: int, more: int) -> Graph:
    """127 * 65535 * 258 is just inside int32; the rest comes from the bias."""
    room = MOST - 127 * 65535 * 258 + more
    op = Dense(name="y", inputs=("x",), weights=weights.astype(np.int8)[None], **sums(sign * room))
    return build.graph(upto((258,), sign * 65535), op)


def dense(sign: int, more: int) -> Graph:
    return layer(np.full(258, 127), sign, more)


def mixed(sign: int, more: int) -> Graph:
    """Half of the weights are negative: no whole sum comes near the border, but a partial sum reaches it."""
    return layer(np.tile([127, -127], 129), sign, more)


def padded(sign: int, more: int) -> Graph:
    """The same of a convolution whose input is small: the pad value alone reaches far."""
    room = MOST - 127 * 9 * 10**6 + more
    op = Conv2d(
        name="y", inputs=("x",), weights=np.full((1, 3, 3, 1), 127, np.int8), pad=(3, 3, 3, 3),
        pad_value=sign * 10**6, **sums(sign * room),
    )  # fmt: skip
    return build.graph(upto((1, 1, 1), sign), op)


def add(sign: int, more: int) -> Graph:
    """x + x; -2^30 twice is the lowest int32, 2^30 twice is one too many."""
    return build.graph(upto((1,), sign * (2**30 - (sign > 0) + more)), Add(name="y", inputs=("x", "x")))


def mul(sign: int, more: int) -> Graph:
    """x * x, or x * -x; 46,340 is the root of 2^31."""
    weights = np.array([[sign]], np.int8)
    other = Dense(name="other", inputs=("x",), weights=weights, **sums(0))
    return build.graph(upto((1,), 46340 + more), other, Mul(name="y", inputs=("x", "other")))


def sum_pool(sign: int, more: int) -> Graph:
    op = SumPool(name="y", inputs=("x",), kernel=(1, 2), stride=(1, 1))
    return build.graph(upto((1, 2, 1), sign * (2**30 - (sign > 0) + more)), op)


def shifted(sign: int, more: int) -> Graph:
    """tflite_double with a left shift by one."""
    one = np.ones(1, np.int32)
    op = Requantize(
        name="y", inputs=("x",), m=2**30 * one, b=0 * one, s=30 * one, zero=0, lo=-(2**15), hi=2**15 - 1,
        rounding="tflite_double", type="int16",
    )  # fmt: skip
    return build.graph(upto((1,), sign * (2**30 - (sign > 0) + more)), op)


CASES: Sequence[Callable[[int, int], Graph]] = (dense, mixed, padded, add, mul, sum_pool, shifted)


def holds(make: Callable[[int, int], Graph], sign: int) -> None:
    """The border is accepted and comes out right; one more is refused by name."""
    graph = make(sign, 0)
    x = graph.input
    ends = np.stack([np.full(x.shape, x.lo, np.int32), np.full(x.shape, x.hi, np.int32)])
    found = run(graph, ends).outputs.astype(np.int64).reshape(2, -1)
    value = graph.output_value
    assert found.min() >= value.lo and found.max() <= value.hi
    if make not in (mixed, shifted):  # half a sum, and one that is clamped
        furthest = int(found.max() if sign > 0 else -found.min())
        assert MOST - 2 * 46340 <= furthest <= MOST + (sign < 0)
    with pytest.raises(EdgeTernaryError, match="'y'"):
        make(sign, 1)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_the_border_is_exact(make: Callable[[int, int], Graph], sign: int) -> None:
    holds(make, sign)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_product_that_leaves_int32_takes_64_bits(sign: int) -> None:
    """Form B is m x + b in int32; beyond it, at either end, a requantize is of form C."""
    one = np.ones(1, np.int32)

    def form(more: int) -> str:
        op = Requantize(
            name="y", inputs=("x",), m=2**14 * one, b=sign * more * one, s=0 * one, zero=0, lo=-9, hi=9,
            rounding="floor", type="int8",
        )  # fmt: skip
        return op.form(upto((1,), sign * 2**17 - (sign > 0)))

    border = 2**14 - 1 if sign > 0 else 0
    assert (form(border), form(border + 1)) == ("B", "C")


FAR = 2**40  # where a proof that forgets a border believes int32 to end
Fault = Callable[[pytest.MonkeyPatch], None]


def ends_at(module: Any, border: str, far: int) -> Fault:
    """The proofs of a module do not see one of the borders of int32."""
    return lambda patch: patch.setattr(module, border, far)


def looks_at(numbers: Callable[[Any, int, int], tuple[Any, int, int]]) -> Fault:
    """Accumulators are proven for other (bias, lo, hi) than they have; their interval is right."""
    right = accumulate.accumulator_interval

    def broken(op: Any, weights: np.ndarray, bias: np.ndarray, lo: int, hi: int) -> tuple[int, int]:
        right(op, weights, *numbers(bias, lo, hi))
        with pytest.MonkeyPatch.context() as patch:
            ends_at(accumulate, "INT32_HI", FAR)(patch)
            return right(op, weights, bias, lo, hi)

    def plant(patch: pytest.MonkeyPatch) -> None:
        for module in (dense_module, conv2d_module):
            patch.setattr(module, right.__name__, broken)

    return plant


# what: (the fault, the cases that show it)
FAULTS: dict[str, tuple[Fault, Sequence[Callable[[int, int], Graph]]]] = {
    "accumulators, low end": (looks_at(lambda bias, lo, hi: (bias, hi, hi)), (mixed,)),
    "accumulators, high end": (looks_at(lambda bias, lo, hi: (bias, lo, lo)), (mixed,)),
    "accumulators, bias": (looks_at(lambda bias, lo, hi: (np.maximum(bias, 0), lo, hi)), (mixed,)),
    "sums and products, low end": (ends_at(elementwise, "INT32_LO", -FAR), (add, mul)),
    "sums and products, high end": (ends_at(elementwise, "INT32_HI", FAR), (add, mul)),
    "pools, low end": (ends_at(sum_pool_module, "INT32_LO", -FAR), (sum_pool,)),
    "pools, high end": (ends_at(sum_pool_module, "INT32_HI", FAR), (sum_pool,)),
    "left shifts": (ends_at(requantize_module, "INT32_LO", -FAR), (shifted,)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_of_a_proof_is_seen(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, cases = FAULTS[fault]
    plant(monkeypatch)
    for make in cases:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            holds(make, 1)
            holds(make, -1)


def test_forms_see_a_planted_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    ends_at(requantize_module, "INT32_LO", -FAR)(monkeypatch)
    with pytest.raises(AssertionError):
        test_a_product_that_leaves_int32_takes_64_bits(-1)
