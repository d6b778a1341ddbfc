"""Every op as hardware in the Amaranth simulator: frames back to back, source and sink pause at random.

Each example is folded at one of two paces; with EDGETERNARY_FULL=1 at both.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import Requantize
from edgeternary.passes import optimize
from edgeternary.run import run
from tests.full import FULL, pairs
from tests.need import need
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, kinds
from tests.registry.random_graphs import graphs, spiking_graphs, stateful_graphs
from tests.registry.regressions import REGRESSIONS

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")  # designs that are only built
CYCLES = 500  # of a frame, about; large networks are folded less than the pace says
FRAMES = 3  # two that follow each other, and one that finds the state that the second left
PACES = (512, 3)  # small examples unfold whole at the usual pace; at the second they are folded, too
# A longer list is a loss that somebody must notice.
REFUSED: set[str] = {"log_mel"}
TURNS = 1 if FULL else len(PACES)


def case(graph: Graph) -> str:
    """The kind of the example's last op, with the form of a requantize."""
    op = graph.ops[-1]
    return f"requantize {op.form(graph.ins(op)[0])}" if isinstance(op, Requantize) else op.kind


def agrees(
    graph: Graph, stalls: int | None, frames: int = FRAMES, pace: int = PACES[0], family: str = ""
) -> None:
    """Outputs and taps equal numpy's; pace: multiply-accumulates a cycle that the folding aims at; family: of
    the FPGA that the memories are placed for, which on some puts registers after them; of those that can,
    all are in block RAM then."""
    from edgeternary.hdl import devices, memory
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build

    codes = inputs(graph, frames)
    ours = run(graph, codes, taps=True)
    fabric = devices.family(family or "ice40")
    pace = max(pace, graph.macs() // CYCLES)
    design = build(graph, fold(graph, pace, kept=fabric.output_registers))
    if family:
        with patch.object(memory, "WORTH_SLOW", -(10**9)):
            design = memory.placed(design, fabric)
    theirs = simulate(design, codes, taps=True, stalls=stalls)
    assert graph.output in theirs.taps
    for name, found in theirs.taps.items():
        np.testing.assert_array_equal(found, ours.taps[name], err_msg=f"layer {name}, pace {pace}")
    np.testing.assert_array_equal(theirs.outputs, ours.outputs)


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("pace", PACES)
def test_every_example(kind: str, pace: int) -> None:
    need("amaranth")
    graphs, turn = chosen(kind, pace), PACES.index(pace) % TURNS
    for index, graph in enumerate(graphs):
        if case(graph) not in REFUSED and (index % TURNS == turn or len(graphs) < len(PACES)):
            agrees(graph, stalls=index, pace=pace)


@pytest.mark.parametrize("kind", kinds())
def test_without_pauses(kind: str) -> None:
    need("amaranth")
    for index, graph in enumerate(chosen(kind, 1)[: 3 if FULL else 2]):
        if case(graph) not in REFUSED:
            agrees(graph, stalls=None, pace=PACES[index % len(PACES)])


def test_the_refused_are_refused_by_name_and_no_others_are() -> None:
    need("amaranth")
    from edgeternary.hdl.top import build

    refused = set()
    for graph in (graph for kind in kinds() for graph in chosen(kind)):
        try:
            build(graph)
        except EdgeTernaryError as error:
            assert error.code == BAD_INPUT and error.remedy
            assert repr(graph.ops[-1].name) in error.what
            refused.add(case(graph))
    gc.collect()
    assert refused == REFUSED


@pytest.mark.parametrize(("make", "pace"), pairs((*WHOLE, *STATEFUL, *REGRESSIONS), PACES[::-1]))
def test_whole_models(make: Callable[[], Graph], pace: int) -> None:
    """With pauses and without, as drawn and after the passes, with memories of two families."""
    need("amaranth")
    if pace == PACES[0]:
        agrees(make(), None, pace=pace)
    else:
        agrees(make(), 2, pace=pace, family="ecp5")
    agrees(optimize(make()), 1, pace=pace)


@pytest.mark.parametrize("make", (*WHOLE, *STATEFUL))
def test_the_executor(make: Callable[[], Graph]) -> None:
    need("amaranth")
    codes = inputs(make(), 2)
    found = run(make(), codes, on="hdl", options={"stalls": 3})
    np.testing.assert_array_equal(found.outputs, run(make(), codes).outputs)


@pytest.mark.slow
@settings(max_examples=8 if FULL else 5, phases=[Phase.generate])
@given(graphs(wide=False), st.sampled_from((*PACES, 30)), st.sampled_from(("", "ecp5")))
def test_random_models(graph: Graph, pace: int, family: str) -> None:
    need("amaranth")
    agrees(optimize(graph), stalls=graph.macs(), frames=2, pace=pace, family=family)


@pytest.mark.slow
@settings(max_examples=5 if FULL else 3, phases=[Phase.generate])
@given(
    st.one_of(stateful_graphs(), spiking_graphs()),
    st.sampled_from((*PACES, 30)),
    st.sampled_from(("", "ecp5")),
)
def test_random_models_with_states(graph: Graph, pace: int, family: str) -> None:
    need("amaranth")
    agrees(optimize(graph), stalls=graph.macs(), frames=2, pace=pace, family=family)
    agrees(graph, stalls=None, frames=2, pace=pace, family=family)
