"""Groups that call one routine for what follows their sums: the same bits in less code."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.kernels.conv2d_lanes import ROUTINE
from edgeternary.c.lanes.after.scale import Scale
from edgeternary.c.plan import Plan
from edgeternary.c.select import LIMITED_LABELS, Budget, Planner, select
from edgeternary.cores import core as find_core
from edgeternary.ir import Graph
from edgeternary.ops import Requantize, build
from tests.c.lanes_nets import conv, requantize
from tests.c.plan_fleet import PlanFleet
from tests.need import need

CORES = ["cortex-m0plus", "cortex-m3", "cortex-m4"]


def narrow(rng: np.random.Generator, q: Requantize) -> Requantize:
    """With results of 4 bits, and shifts that differ."""
    s = rng.integers(4, 9, len(q.s)).astype(np.int32)
    return msgspec.structs.replace(q, zero=2, lo=0, hi=15, type="uint4", s=s, rounding="floor")


@cache
def graphs() -> list[Graph]:
    """Two convolutions: the first one writes lanes for the second, and that one bytes."""
    rng = np.random.default_rng(21)
    found = []
    for _ in range(4):
        shape = (int(rng.integers(4, 9)), int(rng.integers(2, 7)), int(rng.integers(1, 5)))
        outs, last = (int(n) for n in rng.integers(16, 41, 2))
        x = build.value("x", shape, "int8")
        q1, q2 = (requantize(rng, n, f"q{i}", f"c{i}", "B") for i, n in ((1, outs), (2, last)))
        second = conv(rng, "q1", (*shape[:2], outs), last, "c2", kernel=int(rng.choice([1, 3])))
        found.append(build.graph(x, conv(rng, "x", shape, outs, "c1"), narrow(rng, q1), second, q2))
    return found


def called(match: Match, kernel: Kernel, offer: Offer) -> bool:
    """Lets convolutions take the variant alone."""
    return match.ops[0].kind != "conv2d" or offer.variant == ROUTINE


def plans(core: str) -> list[Plan]:
    return [select(graph, core, allow=called) for graph in graphs()]


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
def test_a_routine_finishes_the_sums_of_all_groups(core: str) -> None:
    need("unicorn", "capstone", "arm-none-eabi-gcc")
    PlanFleet.of_plans(plans(core)).check(core, compiler="gcc")


@pytest.mark.emulator
def test_factors_that_do_not_follow_the_shift_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    need("unicorn", "capstone", "arm-none-eabi-gcc")
    wrong = plans("cortex-m4")[:1]
    monkeypatch.setattr(Scale, "alike", lambda self: replace(self, shift=np.full_like(self.shift, 11)))
    with pytest.raises(AssertionError):
        PlanFleet.of_plans(wrong).check("cortex-m4", compiler="gcc")


@pytest.mark.system
def test_the_reference_in_c() -> None:
    one = replace(plans("cortex-m4")[0], core=find_core("host"))
    PlanFleet.of_plans([one]).check("host")


@pytest.mark.parametrize("core", CORES[::2])
def test_a_tight_budget_takes_routines_before_it_gives_up_lanes(core: str) -> None:
    planner = Planner(graphs()[0], core)
    fast = planner.choose("cycles", Budget())
    small = planner.choose("cycles", Budget(flash=fast.flash_bytes - 100))
    assert not any(step.offer.variant for step in fast.steps)
    assert {step.offer.variant for step in small.steps if step.kernel.name == "conv2d_lanes"} >= {ROUTINE}
    assert fast.cycles < small.cycles < 1.1 * fast.cycles


@pytest.mark.parametrize("core", CORES[::2])
def test_a_limit_of_flash_leaves_little_unused(core: str) -> None:
    planner = Planner(zoo.load("keywords-ds-cnn"), core, max_labels=LIMITED_LABELS)
    least, most = planner.least("flash"), planner.choose("cycles", Budget())
    assert least is not None
    for limit in np.linspace(1.5 * least.flash_bytes, most.flash_bytes, 12).astype(int).tolist():
        assert planner.choose("cycles", Budget(flash=limit)).flash_bytes > 0.85 * limit


def test_shifts_that_factors_have_no_room_for_stay_apart() -> None:
    after = Scale(
        start=np.zeros(2, np.int64), shift=np.array([1, 12]), top=4, factors=np.array([[20, 900], [5, -7]])
    )
    assert after.alike() is None  # 20 * 2^11 is no signed number of 16 bits
    near = replace(after, shift=np.array([9, 12])).alike()
    assert near is not None
    np.testing.assert_array_equal(near.factors, [[160, 900], [40, -7]])
    np.testing.assert_array_equal(near.shift, [12, 12])
