"""The C of every zoo model, for each objective: all outputs of the samples that ship are what torch answered.

On this machine all samples run, through the C twins of the kernels; on emulated cores, which run assembly,
a few. EDGETERNARY_FULL=1 takes all samples there too (hours); `edgeternary zoo --on cortex-m4` does the same.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.c import cores
from edgeternary.c.choices import Choices
from edgeternary.c.plan import Plan
from edgeternary.c.search import Search
from edgeternary.c.select import OBJECTIVES, Budget, choose
from edgeternary.run import cortex_m, host
from edgeternary.run._model import of_plan
from edgeternary.run._options import Options
from edgeternary.toolchains import find
from tests.need import need

FULL = bool(os.environ.get("EDGETERNARY_FULL"))
FEW = zoo.SAMPLES if FULL else 4
ESTIMATE = (0.7, 1.45)  # measured cycles / estimated ones

every = pytest.mark.parametrize("name", zoo.names())


def plans(name: str, core: str) -> dict[str, Plan]:
    """The plan of each objective; what there is to choose from is found once."""
    graph, target = zoo.load(name), cores.core(core)
    labels = Search(Choices(graph, target)).labels()
    return {objective: choose(graph, target, labels, objective, Budget()) for objective in OBJECTIVES}


@every
def test_host(name: str) -> None:
    fast = find("gcc").found  # builds straight-line code without optimisation in seconds
    if not fast:
        need("zig")
    options = Options.read({"compiler": "gcc" if fast else "zig", "opt_level": "0"})
    (inputs, _), (codes, _) = zoo.images(name), zoo.logits(name)
    for objective, plan in plans(name, "host").items():
        found = host.execute(plan.graph, inputs, of_plan(plan), options).outputs
        np.testing.assert_array_equal(found, codes, f"optimized for {objective}")


@pytest.mark.emulator
@every
def test_every_objective_on_the_smallest_core(name: str) -> None:
    emulated(name, plans(name, "cortex-m0plus"), 0)


@pytest.mark.emulator
@every
def test_the_fastest_plan_takes_about_the_estimated_cycles(name: str) -> None:
    chosen = plans(name, "cortex-m4")
    found = emulated(name, chosen if FULL else {"cycles": chosen["cycles"]}, 1)
    assert ESTIMATE[0] < found["cycles"] / chosen["cycles"].cycles < ESTIMATE[1]


def emulated(name: str, chosen: dict[str, Plan], count: int) -> dict[str, float]:
    """Run plans on their core; {objective: cycles of the samples that are counted}."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    compiler = "gcc" if find("arm-none-eabi-gcc").found else "zig"
    inputs, (codes, _) = zoo.images(name)[0][:FEW], zoo.logits(name)
    cycles: dict[str, float] = {}
    for objective, plan in chosen.items():
        options = {"compiler": compiler, "count": count, "timeout": 7200.0}
        found = cortex_m.run_plan(plan, inputs, options=options)
        np.testing.assert_array_equal(found.outputs, codes[:FEW], f"optimized for {objective}")
        cycles[objective] = float(found.stats.get("cycles") or 0)
    return cycles
