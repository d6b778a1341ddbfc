"""Random graphs with several inputs and outputs: every executor gives numpy's bits, all outputs together."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import edgeternary.run._model as model_of
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import Add, Dense, Reshape, build
from edgeternary.passes import optimize
from edgeternary.run import host, numpy, open_session, run
from edgeternary.run.compare import compare, joined
from edgeternary.run.result import Result
from tests.full import FULL
from tests.need import need
from tests.registry.faults import faulty_c
from tests.registry.fleet import Fleet
from tests.registry.graphs import named_inputs
from tests.registry.several import draws, several, two_heads

FEW = 12
IN_C_ON = ("host", "cortex-m0plus", "cortex-m4", "qemu:mps2_an385")


def agree(graph: Graph, on: Sequence[str], samples: int = 5, **options: object) -> None:
    """0 mismatches on each executor; a failure shows the graph and the first difference."""
    from edgeternary.ir.text import dump

    codes = named_inputs(graph, samples, steps=3)
    for found in compare(graph, codes, on, options=dict.fromkeys(on, options)):
        assert found.mismatches == 0, f"{found.executor}: {found.difference}\n{dump(graph)}"


@pytest.mark.parametrize("seed", draws(FEW))
def test_optimize_keeps_the_answers(seed: int) -> None:
    graph = several(seed)
    made = optimize(graph)
    assert (made.inputs, made.outputs) == (graph.inputs, graph.outputs)
    codes = named_inputs(graph, 12)
    for name, found in run(made, codes).outputs.items() if len(graph.outputs) > 1 else ():
        np.testing.assert_array_equal(found, run(graph, codes).outputs[name], err_msg=name)
    np.testing.assert_array_equal(
        joined(made, run(made, codes).outputs), joined(graph, run(graph, codes).outputs)
    )


@pytest.mark.parametrize("seed", draws(FEW))
def test_onnxruntime(seed: int) -> None:
    need("onnxruntime")
    agree(several(seed), ["onnxruntime"])


@pytest.mark.slow
@pytest.mark.parametrize("on", IN_C_ON)
def test_c(on: str) -> None:
    """Each on two executors, many in one program, with guards around every input and output."""
    need("zig|gcc|clang" if on == "host" else "zig|arm-none-eabi-gcc")
    seeds = draws(FEW) if FULL else draws(FEW)[IN_C_ON.index(on) % 2 :: 2]
    for first in range(0, len(seeds), 60):
        graphs = [several(seed) for seed in seeds[first : first + 60]]
        Fleet.of(graphs, seed=first).check(on, opt_level="1")


@pytest.mark.parametrize("on", ["host", "cortex-m0plus", "cortex-m4"])
def test_alone(on: str) -> None:
    """A program of its own, with taps; four arguments and more."""
    need(
        "zig|gcc|clang" if on == "host" else "zig|arm-none-eabi-gcc",
        *([] if on == "host" else ["unicorn", "capstone"]),
    )
    for graph in (two_heads(), several(3)):
        agree(graph, [on])
        codes = named_inputs(graph, 3, steps=2)
        ours, theirs = run(graph, codes, taps=True), run(graph, codes, on=on, taps=True, options={"count": 0})
        assert theirs.taps
        for name, tap in theirs.taps.items():
            np.testing.assert_array_equal(tap, ours.taps[name], err_msg=name)


@pytest.mark.parametrize("seed", draws(6))
def test_hdl(seed: int) -> None:
    """With pauses on every stream."""
    need("amaranth")
    agree(several(seed, wide=False), ["hdl"], samples=3, stalls=seed)


@pytest.mark.parametrize("on", ["numpy", "host", "hdl"])
def test_sessions(on: str) -> None:
    """Step by step, with codes by name; the states stay from one step to the next."""
    need(*{"numpy": (), "host": ("zig|gcc|clang",), "hdl": ("amaranth",)}[on])
    graph = several(12, wide=False)
    assert graph.states and len(graph.inputs) > 1 and len(graph.outputs) > 1
    codes = named_inputs(graph, 1, steps=3)
    right = run(graph, codes).outputs
    with open_session(graph, on) as session:
        for step in range(3):
            found = session.step({name: steps[0, step] for name, steps in codes.items()})
            for name in graph.outputs:
                np.testing.assert_array_equal(found[name], right[name][0, step])


def twins() -> Graph:
    """Two heads of one shape and type."""
    rng = np.random.default_rng(1)
    x = build.value("x", (6,), "uint4")
    heads = [
        Dense(
            name=name, inputs=("x",), weights=build.codes(rng, (3, 6), "ternary"), weight_type="ternary",
            bias=np.array([first, 1, 2], np.int32),
        )
        for name, first in (("a", 100), ("b", -100))
    ]  # fmt: skip
    return Graph("twins", x, heads, ("a", "b"))


# what: (pattern in the generated C, what stands there instead)
IN_C = {
    "outputs swapped": (r"int32_t \*a, int32_t \*b\)\n\{", "int32_t *b, int32_t *a)\n{"),
    "an output dropped": (r"(_\d+_b\(x, )b\);", r"\g<1>a); (void)b;"),
}


@pytest.mark.parametrize("fault", IN_C)
def test_faults_in_c_are_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|gcc|clang")
    Fleet.of([twins()]).check("host", opt_level="1")
    planted: list[str] = []
    monkeypatch.setattr(model_of, "render", faulty_c(model_of.render, *IN_C[fault], planted))
    with pytest.raises(AssertionError, match="host differs from numpy"):
        Fleet.of([twins()]).check("host", opt_level="1")
    assert planted, "the fault cannot be planted"


@pytest.mark.parametrize("change", [lambda a, b: (b, a), lambda a, b: (a, a), lambda a, b: (a, 0 * b)])
def test_mismatches_count_all_outputs_together(
    change: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample is wrong where any of its outputs is; the first output that differs is named."""
    graph = twins()

    def wrong(graph: Graph, inputs: np.ndarray, **more: Any) -> Result:
        result = numpy.run(graph, inputs)
        return replace(result, outputs=np.concatenate(change(*np.split(result.outputs, 2, axis=1)), axis=1))

    monkeypatch.setattr(host, "run", wrong)
    (found,) = compare(graph, named_inputs(graph, 7), ["host"])
    assert found.mismatches == 7 and found.difference and found.difference.layer in graph.outputs


def test_two_outputs_of_one_value() -> None:
    """The same value as two outputs, one of which another layer reads."""
    need("zig|gcc|clang")
    graph = twins()
    again = Reshape(name="again", inputs=("a",), shape=(3, 1))
    both = Add(name="both", inputs=("a", "b"))
    graph = replace(graph, ops=(*graph.ops, again, both), outputs=("again", "a", "both"))
    assert optimize(graph).outputs == graph.outputs
    agree(graph, ["host"])
    outputs = run(graph, named_inputs(graph, 3)).outputs
    np.testing.assert_array_equal(outputs["again"][..., 0], outputs["a"])
    with pytest.raises(EdgeTernaryError, match="an output twice"):
        replace(graph, outputs=("a", "a"))
