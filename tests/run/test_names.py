"""Names of executors, and the ways to call one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ops import build
from edgeternary.run import executors, run
from edgeternary.run._known import OPTIONS
from edgeternary.run.compare import compare
from tests.golden.models import mlp


def test_every_file_is_an_executor() -> None:
    assert set(executors()) == {
        "bitstream", "cortex-m", "cxxrtl", "hdl", "host", "netlist", "numpy", "onnxruntime", "original",
        "qemu", "qonnx", "serial", "tflite", "torch", "verilator",
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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cout": 3}, "unknown option 'cout'.*did you mean count"),
        ({"options": {"count": 3}}, "unknown option 'options'"),
        (["count"], "options are no list"),
        ({7: 1}, "unknown option '7'"),
    ],
)
def test_unknown_options_are_refused(options, said: str) -> None:
    graph = mlp()
    inputs = build.samples(np.random.default_rng(1), graph.input, 3)
    for call in (
        lambda: run(graph, inputs, options=options),
        lambda: graph.run(inputs, options=options),
        lambda: compare(graph, inputs, ["numpy"], options={"numpy": options}),
    ):
        with pytest.raises(EdgeTernaryError, match=said) as caught:
            call()
        assert caught.value.code == USAGE
    with pytest.raises(EdgeTernaryError, match=r"unknown option 'cout'"):
        graph.run(inputs, cout=3)


def test_options_of_an_executor_that_does_not_run_are_refused() -> None:
    graph = mlp()
    inputs = build.samples(np.random.default_rng(1), graph.input, 3)
    with pytest.raises(EdgeTernaryError, match=r"'nunpy'.*did you mean numpy"):
        compare(graph, inputs, ["numpy"], options={"nunpy": {}})


def test_options_reach_the_executor_by_name_and_as_a_mapping() -> None:
    graph = mlp()
    inputs = build.samples(np.random.default_rng(1), graph.input, 3)
    for given in ({"options": {"count": -1}}, {"count": -1}, {"options": {"count": 1}, "count": -1}):
        with pytest.raises(EdgeTernaryError, match="count=-1"):
            graph.run(inputs, on="host", **given)


def test_every_option_that_an_executor_reads_is_known() -> None:
    files = [*Path(edgeternary.run.__file__).parent.rglob("*.py")]
    read = {name for file in files for name in re.findall(r'options(?:\.get\(|\[)"(\w+)"', file.read_text())}
    assert read == set(OPTIONS)
