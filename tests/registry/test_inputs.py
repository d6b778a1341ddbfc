"""Inputs that a model does not take are refused with what is wrong, on every executor alike."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.errors import BAD_INPUT, USAGE, EdgeTernaryError
from edgeternary.ops import Add, build
from edgeternary.run import executors, run
from edgeternary.run.inputs import check_inputs
from tests.registry.graphs import leaky, tiny_cnn, tiny_mlp

MLP, CNN = np.zeros((3, 12)), np.zeros((3, 6, 6, 2))
REFUSED = {
    "NaN": (np.where(np.arange(12) == 5, np.nan, MLP), "NaN or infinity"),
    "infinity": (MLP + np.inf, "NaN or infinity"),
    "fractions": (MLP + 0.5, "fractions"),
    "too large": (MLP + 256, "reach from 256"),
    "too small": (MLP - 1, "takes codes 0 to 255"),
    "huge": (MLP.astype(np.uint64) + np.uint64(2**63), "takes codes 0 to 255"),
    "no sample axis": (MLP[0], "takes .samples, 12."),
    "another width": (np.zeros((3, 13)), "takes .samples, 12."),
    "one axis too many": (np.zeros((3, 1, 12)), "takes .samples, 12."),
    "a scalar": (np.array(3), "takes .samples, 12."),
    "text": (np.full((3, 12), "7"), "integer codes are needed"),
    "complex": (np.zeros((3, 12), complex), "integer codes are needed"),
    "objects": (np.full((3, 12), None), "integer codes are needed"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("executor", ["numpy", "host", "cortex-m4", "hdl", "onnxruntime"])
def test_refused(case: str, executor: str) -> None:
    codes, message = REFUSED[case]
    with pytest.raises(EdgeTernaryError, match=message) as caught:
        run(tiny_mlp(), codes, on=executor)
    assert caught.value.code == BAD_INPUT


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64", "bool"])
def test_any_dtype_that_holds_integers_is_taken(dtype: str) -> None:
    codes = np.ones((2, 12), dtype)
    np.testing.assert_array_equal(run(tiny_mlp(), codes).outputs, run(tiny_mlp(), np.ones((2, 12))).outputs)


def test_zero_is_no_bipolar_code() -> None:
    x = build.value("x", (2,), "bipolar")
    graph = build.graph(x, Add(name="y", inputs=("x", "x")))
    with pytest.raises(EdgeTernaryError, match="not bipolar"):
        run(graph, np.array([[1, 0]]))


def test_the_last_axis_of_one_channel_may_be_missing() -> None:
    x = build.value("x", (2, 3, 1), "uint8")
    graph = build.graph(x, Add(name="y", inputs=("x", "x")))
    assert check_inputs(graph, np.zeros((5, 2, 3))).shape == (5, 2, 3, 1)
    with pytest.raises(EdgeTernaryError):
        check_inputs(tiny_cnn(), np.zeros((5, 6, 6)))


def test_states_need_an_axis_of_steps() -> None:
    with pytest.raises(EdgeTernaryError, match="samples, steps, 9"):
        run(leaky(), np.zeros((5, 9)))


def test_unknown_executors_are_a_usage_error() -> None:
    with pytest.raises(EdgeTernaryError, match=r"unknown executor 'abacus'.*numpy") as caught:
        run(tiny_mlp(), MLP, on="abacus")
    assert caught.value.code == USAGE


def test_executors_are_found_by_file() -> None:
    assert {"numpy", "host", "cortex-m", "qemu", "hdl", "onnxruntime", "torch"} <= set(executors())
    assert not {"result", "inputs", "compare"} & set(executors())
