"""Some layers as wires, the others folded: one pipeline, the same numbers; where folding is too slow."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import chosen, inputs, tiny_cnn, tiny_mlp


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


def checked(graph: Graph, wires: tuple[str, ...], samples: int = 6, stalls: int | None = 3) -> None:
    """Simulates the graph with some layers as wires, and compares outputs and taps."""
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build
    from edgeternary_hw import Wired

    design = build(graph, fold(graph, wires=wires))
    assert any(isinstance(part, Wired) for _, part in design.top.parts)
    codes = inputs(graph, samples)
    expected = run(graph, codes, taps=True)
    found = simulate(design, codes.astype(np.int32), taps=True, stalls=stalls)
    np.testing.assert_array_equal(found.outputs, expected.outputs)
    for name, values in found.taps.items():
        np.testing.assert_array_equal(values, expected.taps[name], err_msg=name)


def every_set(graph: Graph) -> list[tuple[str, ...]]:
    from edgeternary.hdl.mixed import choices

    return choices(graph, 100_000)


@pytest.mark.parametrize("k", range(5))
def test_a_cnn_with_any_of_its_matrices_as_wires(k: int) -> None:
    checked(tiny_cnn(), every_set(tiny_cnn())[k])


def test_the_first_and_the_last_layers_of_a_chain() -> None:
    sets = every_set(tiny_mlp())
    assert len(sets) > 2
    for wires in sets[:3]:
        checked(tiny_mlp(), wires)


@pytest.mark.parametrize("k", range(12))
def test_convolutions_with_strides_pads_and_groups(k: int) -> None:
    graphs = chosen("conv2d")
    if k < len(graphs):
        checked(graphs[k], (graphs[k].ops[0].name,), samples=3)


def test_wires_are_chosen_where_no_folding_answers_in_time() -> None:
    from edgeternary.hdl import plan

    made = plan.design(tiny_cnn(), Constraints("ecp5-25f", latency=140))
    assert made.folding.wires and made.latency <= 140
    folded = plan.design(tiny_cnn(), Constraints("ecp5-25f", maximize=True))
    assert not folded.folding.wires and folded.latency > 140
    with pytest.raises(EdgeTernaryError, match="cannot answer within 20 clocks") as caught:
        plan.design(tiny_cnn(), Constraints("ecp5-25f", latency=20))
    assert caught.value.code == DOES_NOT_FIT


def test_what_can_never_fit_is_refused_before_it_is_built() -> None:
    from edgeternary.hdl.wired import why_not

    assert "too many for 1 LUTs" in why_not(tiny_mlp(), 1)


def test_single_port_ram_is_tried_before_wires(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded with its weights there, the network fits: no set of layers as wires is looked for."""
    from edgeternary import zoo
    from edgeternary.hdl import plan

    monkeypatch.setattr(plan, "choices", lambda graph, luts: pytest.fail("wires were tried"))
    made = plan.design(zoo.load("fashion-mlp"), Constraints("up5k"))
    assert made.single_port_rams and not made.folding.wires
