"""Names of executors, and the ways to call one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.ops import build
from edgeternary.run import executors, run
from tests.golden.models import mlp


def test_every_file_is_an_executor() -> None:
    assert set(executors()) == {
        "bitstream", "cortex-m", "cxxrtl", "hdl", "host", "netlist", "numpy", "onnxruntime", "qemu", "serial",
        "torch", "verilator",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["", "numpyx", "numpy:x", "hdl:pdp11", "host4", "nothing", "cortex-m9", "qemu:pdp11"]
)
def test_unknown_names_are_refused(name: str) -> None:
    graph = mlp()
    with pytest.raises(EdgeTernaryError, match=r"unknown|no board|missing") as caught:
        run(graph, np.zeros((1, 12), np.int32), on=name)
    assert caught.value.code in (1, 2, 3)


def test_a_graph_runs_itself() -> None:
    graph = mlp()
    inputs = build.samples(np.random.default_rng(1), graph.input, 3)
    result = graph.run(inputs, taps=True)
    np.testing.assert_array_equal(result.outputs, run(graph, inputs).outputs)
    assert set(result.taps) == {"fc1", "act1", "fc2"}


def test_a_file_loads_without_importing_the_ops_first() -> None:
    code = "from edgeternary.zoo import load; print(load('fashion-mlp').macs())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "268800\n"
