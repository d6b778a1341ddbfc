"""States in hardware: exact over samples and steps, never stuck, and the cycles that were predicted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph, State
from edgeternary.ops import Add, Requantize
from edgeternary.ops import build as build_op
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import STATEFUL, inputs
from tests.registry.loops import LOOPS, flattened, gated
from tests.registry.random_graphs import network, spiking_graphs, stateful_graphs

need("amaranth")

from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError  # noqa: E402
from edgeternary.hdl import devices, memory, plan, top  # noqa: E402
from edgeternary.hdl.folding import Fold, Folding, fold  # noqa: E402
from edgeternary.hdl.simulation.bench import simulate  # noqa: E402
from edgeternary.hdl.top import build  # noqa: E402
from edgeternary_hw import State as StatePart  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")
PACES = (512, 30, 3)  # multiply-accumulates a cycle
FULL = bool(os.environ.get("EDGETERNARY_FULL"))
STEADY = 8  # steps a sample: the last ones have found their rhythm


def in_turn(
    makes: Sequence[Callable[[], Graph]], paces: Sequence[tuple[object, ...]]
) -> list[tuple[object, ...]]:
    """Each graph at one of the paces, or two; with EDGETERNARY_FULL=1 at all."""
    pairs = [(k + n, make, pace) for k, make in enumerate(makes) for n, pace in enumerate(paces)]
    return [(make, *pace) for turn, make, pace in pairs if FULL or turn % 2 == 0]


def beats(graph: Graph, pace: int | Folding, family: str = "") -> None:
    """The time between the last two answers is what the design says, and so is every answer."""
    folding = fold(graph, pace, kept=bool(family)) if isinstance(pace, int) else pace
    design = build(graph, folding)
    if family:
        design = memory.placed(design, devices.family(family))
    x = inputs(graph, 1, steps=STEADY)
    done = simulate(design, x)
    np.testing.assert_array_equal(done.outputs, run(graph, x).outputs)
    assert done.times[-1] - done.times[-2] == design.cycles


@pytest.mark.parametrize(
    ("make", "pace", "family"),
    in_turn(
        [make for make in (*LOOPS, *STATEFUL) if make is not gated], ((512, "ecp5"), (30, ""), (3, "ecp5"))
    ),
)
def test_the_cycles_of_a_step_are_known_beforehand(make: Callable[[], Graph], pace: int, family: str) -> None:
    beats(make(), pace, family)


@settings(max_examples=8 if FULL else 5, phases=[Phase.generate], deadline=None)
@given(st.one_of(stateful_graphs(), spiking_graphs()), st.sampled_from(PACES), st.sampled_from(("", "ecp5")))
@pytest.mark.slow
def test_also_those_of_random_models(graph: Graph, pace: int, family: str) -> None:
    beats(graph, pace, family)


@pytest.mark.parametrize(("seed", "family"), [(11, ""), (53, ""), (59, "ecp5"), (95, "ecp5")])
def test_branches_keep_up_with_matrices_far_below_the_pace(seed: int, family: str) -> None:
    """The pace alone would leave out FIFOs of branches, and the design would be slower than it says."""
    graph = network(seed, wide=False)
    folding = fold(graph, 30, kept=bool(family))
    roomy = replace(folding, cycles=8 * folding.cycles)
    beats(graph, roomy, family)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top, "slowest", lambda graph, folding: folding.cycles)
        with pytest.raises(AssertionError):
            beats(graph, roomy, family)


@pytest.mark.parametrize(("make", "pace", "stalls"), in_turn(LOOPS, ((512, 1), (30, 2), (3, None))))
def test_loops_do_not_lock_up(make: Callable[[], Graph], pace: int, stalls: int | None) -> None:
    graph = make()
    x = inputs(graph, 2, steps=4)
    done = simulate(build(graph, fold(graph, pace)), x, taps=True, stalls=stalls)
    expected = run(graph, x, taps=True)
    np.testing.assert_array_equal(done.outputs, expected.outputs)
    for name, found in done.taps.items():
        np.testing.assert_array_equal(found, expected.taps[name], err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 2])
def test_short_samples(steps: int) -> None:
    """Every step, or every other one, begins again: what was written before is dropped."""
    for turn, make in enumerate((*STATEFUL, gated)):
        x = inputs(make(), 7, steps=steps)
        for stalls in (None, 3) if FULL else ((None, 3)[(turn + steps) % 2],):
            done = simulate(build(make()), x, stalls=stalls)
            np.testing.assert_array_equal(done.outputs, run(make(), x).outputs)


def test_a_reset_that_is_forgotten_is_noticed() -> None:
    """Without the bit that starts a sample the states live on, and the answers are those of one sample."""
    graph = STATEFUL[0]()
    x = inputs(graph, 3)
    design = build(graph)

    class Deaf(type(design)):  # type: ignore[misc]
        def stimuli(self, codes: np.ndarray) -> list[np.ndarray]:
            return super().stimuli(codes.reshape(1, -1, *codes.shape[2:]))

    deaf = Deaf(**{name: getattr(design, name) for name in design.__dataclass_fields__})
    found = simulate(deaf, x).outputs
    assert not np.array_equal(found, run(graph, x).outputs)
    one = x.reshape(1, -1, *x.shape[2:])
    np.testing.assert_array_equal(found.reshape(1, -1, *found.shape[2:]), run(graph, one).outputs)


def test_a_wrong_initial_content_is_noticed() -> None:
    graph = STATEFUL[0]()
    x = inputs(graph, 2)
    design = build(graph)
    (part,) = (part for _, part in design.top.parts if isinstance(part, StatePart))
    part.initial[-1] ^= 1
    found = simulate(design, x, taps=True).taps["leak"]
    assert not np.array_equal(found, run(graph, x, taps=True).taps["leak"])


def test_room_for_one_frame_only_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that cannot take what a step writes before the step has read it locks up where the reader waits
    for a slower branch: the argument of docs/hardware.md asks for two frames."""
    made = StatePart.__init__

    def narrow(self: StatePart, width: int, initial: list[int], ahead: int) -> None:
        made(self, width, initial, ahead)
        self.ring.depth = 2

    monkeypatch.setattr(StatePart, "__init__", narrow)
    graph = flattened()
    x = inputs(graph, 2, steps=3)
    at_once = Folding({"fc": Fold(15, 1, 1)}, cycles=15)  # nothing before the matrix keeps its input
    with pytest.raises(EdgeTernaryError, match="stopped after"):
        simulate(build(graph, at_once), x)
    monkeypatch.undo()
    np.testing.assert_array_equal(simulate(build(graph, at_once), x).outputs, run(graph, x).outputs)


def unread(steps_on: bool) -> Graph:
    """A state that is doubled, or with `steps_on` added to; and one that no answer depends on."""
    held, other, x = (build_op.value(name, (2,), "int8") for name in ("held", "other", "x"))
    ones = np.ones(2, np.int32)
    total = Add(name="total", inputs=("held", "held" if not steps_on else "x"))
    kept = Requantize(
        name="kept", inputs=("total",), m=ones, b=ones, s=ones, zero=0, lo=-128, hi=127, rounding="floor",
        type="int8",
    )  # fmt: skip
    states = (State(held, ones, "kept"), State(other, ones, "x"))
    return Graph("unread", x, (total, kept), "total", states)


def test_what_no_answer_depends_on_is_left_out() -> None:
    design = build(unread(True))
    assert sum(isinstance(part, StatePart) for _, part in design.top.parts) == 1
    with pytest.raises(EdgeTernaryError, match="do not depend on its input 'x'"):
        build(unread(False))


def test_wired_layers_keep_nothing() -> None:
    with pytest.raises(EdgeTernaryError, match="keeps 'v' between steps") as caught:
        plan.design(STATEFUL[0](), Constraints(latency=20))
    assert caught.value.code == DOES_NOT_FIT
