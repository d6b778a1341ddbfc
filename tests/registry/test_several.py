"""Random graphs with several inputs and outputs: every executor gives numpy's bits, all outputs together."""

from collections.abc import Sequence

import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.passes import optimize
from edgeternary.run import run
from edgeternary.run.compare import compare, joined
from tests.need import need
from tests.registry.fleet import Fleet
from tests.registry.graphs import named_inputs
from tests.registry.several import draws, several, two_heads

FEW = 12


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


@pytest.mark.parametrize("on", ["host", "cortex-m0plus", "cortex-m4", "qemu:mps2_an385"])
def test_c(on: str) -> None:
    """All of them in one program, with guards around every input and output."""
    need("zig|gcc|clang" if on == "host" else "zig|arm-none-eabi-gcc")
    for first in range(0, len(draws(FEW)), 60):
        graphs = [several(seed) for seed in draws(FEW)[first : first + 60]]
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
        ours, theirs = run(graph, codes, taps=True), run(graph, codes, on=on, taps=True)
        assert theirs.taps
        for name, tap in theirs.taps.items():
            np.testing.assert_array_equal(tap, ours.taps[name], err_msg=name)
