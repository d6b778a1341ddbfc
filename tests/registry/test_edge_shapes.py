"""Drawn networks at the edge: every objective and every offer of every kernel, exact on every core.

`EDGETERNARY_NETWORKS=200 pytest tests/registry/test_edge_shapes.py` draws more of them.
"""

from __future__ import annotations

import os

import pytest

from edgeternary.c.choices import KernelFault
from edgeternary.c.kernel import Kernel
from edgeternary.c.kernels.conv2d_lanes import Conv2dLanes
from edgeternary.c.kernels.conversions.pack_lanes import PackLanes
from edgeternary.c.plan import Plan
from edgeternary.c.select import OBJECTIVES, select
from edgeternary.passes import optimize
from edgeternary.toolchains import find
from tests.c.harness import every_plan
from tests.c.plan_fleet import PlanFleet
from tests.full import FULL
from tests.need import need
from tests.registry.edge_shapes import edge_graph
from tests.registry.guarded import guards
from tests.registry.regressions import lanes_of_pads, parts_in_the_pads

NETWORKS = int(os.environ.get("EDGETERNARY_NETWORKS", "50"))
PLANNED = range(NETWORKS)  # numbers of networks whose plans are made
SIZE = 6  # networks in a program
SELECTED = [PLANNED[first : first + SIZE] for first in range(0, max(NETWORKS // 10, SIZE), SIZE)]
OFFERED = range(NETWORKS, NETWORKS + max(NETWORKS // 50, 1))  # of those whose every offer is taken
CORES = ("host", "cortex-m0plus", "cortex-m4", "cortex-m55")
BUILDS = (  # after conditional instructions, of which clang makes more, the emulator may lose its way
    ("cortex-m0plus", "zig"),
    pytest.param("cortex-m0plus", "gcc", marks=pytest.mark.system),
    pytest.param("cortex-m4", "gcc", marks=pytest.mark.system),
)


def best(numbers: range, core: str) -> list[Plan]:
    """What the selection takes for each objective in turn, of networks as drawn and after the passes."""
    graphs = [graph for n in numbers for graph in (edge_graph(n), optimize(edge_graph(n)))]
    return [select(graph, core, OBJECTIVES[i % len(OBJECTIVES)]) for i, graph in enumerate(graphs)]


def offered(number: int, core: str) -> list[Plan]:
    """Plans that together take every offer."""
    return list(every_plan(edge_graph(number), core))


def sanitized(plans: list[Plan]) -> None:
    """The C in place of assembly, with every access checked where gcc or clang is installed."""
    sanitizers = any(find(name).found for name in ("gcc", "clang"))
    if not sanitizers:
        need("zig")
    PlanFleet.of_plans(plans).check("host", sanitize=sanitizers, opt_level="0")


def emulated(plans: list[Plan], core: str, compiler: str) -> None:
    need({"zig": "zig", "gcc": "arm-none-eabi-gcc"}[compiler], "unicorn", "capstone")
    with guards():
        PlanFleet.of_plans(plans).check(core, compiler=compiler)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_the_selection_never_fails(core: str) -> None:
    """A kernel that fails is an error here: pyproject.toml turns its warning into one."""
    for number in PLANNED:
        select(edge_graph(number), core)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", SELECTED, ids=str)
def test_host(numbers: range) -> None:
    sanitized(best(numbers, "host"))


@pytest.mark.slow
@pytest.mark.parametrize("number", OFFERED)
def test_every_offer_on_the_host(number: int) -> None:
    sanitized(offered(number, "host"))


@pytest.mark.emulator
@pytest.mark.parametrize(("core", "compiler"), BUILDS)
@pytest.mark.parametrize("numbers", SELECTED, ids=str)
def test_cortex_m(numbers: range, core: str, compiler: str) -> None:
    few = compiler == "zig" and not FULL  # whose code the guards slow down most
    emulated(best(numbers[: SIZE // 2] if few else numbers, core), core, compiler)


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("number", OFFERED)
def test_every_offer_on_cores(number: int, core: str) -> None:
    need("zig|arm-none-eabi-gcc")
    emulated(offered(number, core), core, "gcc" if find("arm-none-eabi-gcc").found else "zig")


@pytest.mark.system
@pytest.mark.parametrize("numbers", SELECTED, ids=str)
def test_vectors(numbers: range) -> None:
    """Helium, of which QEMU is the only judge; every offer of a few networks as well."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    plans = [*best(numbers, "cortex-m55"), *offered(OFFERED[0], "cortex-m55")]
    PlanFleet.of_plans(plans).check("cortex-m55", compiler="gcc")


@pytest.mark.emulator
def test_lanes_that_hold_pads_alone_compile() -> None:
    """clang, unlike gcc, tells a variable that is set and not used."""
    need("zig")
    plans = list(every_plan(lanes_of_pads(), "host"))
    PlanFleet.of_plans(plans).check("host", compiler="zig")


class Failing(Conv2dLanes):
    def offers(self, match: object) -> object:  # type: ignore[override]
        raise AssertionError("planted")


class FailingToConvert(PackLanes):
    def convert(self, *arguments: object) -> None:  # type: ignore[override]
        raise AssertionError("planted")


@pytest.mark.parametrize("kernel", [Failing(), FailingToConvert()])
def test_a_kernel_that_fails_is_left_out(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made of the other kernels, and a warning names the kernel and the place."""
    graph = parts_in_the_pads()
    plant(kernel, monkeypatch)
    with pytest.warns(
        KernelFault, match=rf"kernel {kernel.name} failed on .* planted in test_edge_shapes.py"
    ):
        plan = select(graph, "cortex-m4")
    assert kernel.name not in [step.kernel.name for step in plan.steps]


def plant(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeternary.c import choices

    def replaced(known: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
        return tuple(kernel if other.name == kernel.name else other for other in known)

    kernels, conversions = replaced(choices.kernels()), replaced(choices.converters())
    monkeypatch.setattr(choices, "kernels", lambda: kernels)
    monkeypatch.setattr(choices, "converters", lambda: conversions)
