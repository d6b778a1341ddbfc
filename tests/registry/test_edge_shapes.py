"""Drawn networks at the edge: every offer of every kernel and every objective, exact on every core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edgeternary.c.plan import Plan
from edgeternary.c.select import OBJECTIVES, select
from edgeternary.passes import optimize
from edgeternary.toolchains import find
from tests.c.harness import every_plan
from tests.c.plan_fleet import PlanFleet
from tests.need import need
from tests.registry.edge_shapes import edge_graph

CORES = ("host", "cortex-m0plus", "cortex-m4", "cortex-m55")
SELECTED = range(12)  # seeds of networks that are planned for each objective
OFFERED = range(100, 108)  # of those whose every offer is taken


def best(core: str) -> list[Plan]:
    """The plans that the selection takes, of networks as drawn and after all passes."""
    graphs = [edge_graph(seed) for seed in SELECTED]
    pairs = zip([*graphs, *map(optimize, graphs)], OBJECTIVES * len(graphs))
    return [select(graph, core, objective) for graph, objective in pairs]


def offered(core: str) -> Iterator[Plan]:
    """Plans that together take every offer."""
    for seed in OFFERED:
        yield from every_plan(edge_graph(seed), core)


@pytest.mark.parametrize("core", CORES)
def test_the_selection_never_fails(core: str) -> None:
    """A kernel that fails is an error here, as pyproject.toml turns its warning into one."""
    for seed in range(200, 260):
        select(edge_graph(seed), core)


def test_host() -> None:
    """The C twins, with every access checked where gcc or clang is installed."""
    sanitizers = any(find(name).found for name in ("gcc", "clang"))
    if not sanitizers:
        need("zig")
    plans = [*best("host"), *offered("host")]
    PlanFleet.of_plans(plans).check("host", sanitize=sanitizers, opt_level="1")


@pytest.mark.emulator
@pytest.mark.parametrize("compiler", ["zig", pytest.param("gcc", marks=pytest.mark.system)])
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_cortex_m(core: str, compiler: str) -> None:
    """The assembly, built by either compiler."""
    need("zig" if compiler == "zig" else "arm-none-eabi-gcc", "unicorn", "capstone")
    plans = best(core) if compiler == "zig" else [*offered(core)]
    PlanFleet.of_plans(plans).check(core, compiler=compiler)


@pytest.mark.system
def test_vectors() -> None:
    """Helium, of which QEMU is the only judge."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    PlanFleet.of_plans([*best("cortex-m55"), *offered("cortex-m55")]).check("cortex-m55", compiler="gcc")
