"""Numbered random networks with guards around memory: dead channels, layers of zeros, single pixels, strides
beyond the image, padding beyond the kernel, groups, states.

`EDGETERNARY_NETWORKS=1000 pytest tests/registry/test_networks.py` draws more of them.
"""

from __future__ import annotations

import os

import pytest

import edgeternary.run._model as model_of
from edgeternary.ir import Graph
from edgeternary.passes import optimize
from tests.need import need
from tests.registry.faults import faulty_c
from tests.registry.fleet import Fleet
from tests.registry.graphs import tiny_mlp
from tests.registry.guarded import guards
from tests.registry.random_graphs import network
from tests.registry.test_hdl import PACES, agrees

NETWORKS = int(os.environ.get("EDGETERNARY_NETWORKS", "50"))
SIZE = 10  # networks in a program
PROGRAMS = range(-(-NETWORKS // SIZE))
OBJECTIVES = ("cycles", "flash", "ram")
COMPILERS = ("zig", "gcc")
TOOLS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}
CORES = ("cortex-m0plus", "cortex-m4")
SIMULATED = max(NETWORKS // 8, 1)


def networks(program: int) -> list[Graph]:
    """Every second one as it was drawn, the others after the passes."""
    numbers = range(program * SIZE, min((program + 1) * SIZE, NETWORKS))
    return [network(n) if n % 2 else optimize(network(n)) for n in numbers]


@pytest.mark.system
@pytest.mark.parametrize("program", PROGRAMS)
def test_host(program: int) -> None:
    """With address and undefined-behaviour checks."""
    need("gcc|clang")
    objective = OBJECTIVES[program % len(OBJECTIVES)]
    Fleet.of(networks(program), samples=4, steps=3).check(
        "host", sanitize=True, opt_level="0", optimize=objective
    )


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("program", "core"),
    [(p, core) for p in PROGRAMS for core in (CORES if NETWORKS > 50 else CORES[p % 2 : p % 2 + 1])],
)
def test_cortex_m(program: int, core: str) -> None:
    """One core and objective for each program, or all of them where many networks are asked for."""
    need("unicorn", "capstone")
    turns = OBJECTIVES if NETWORKS > 50 else (OBJECTIVES[program % len(OBJECTIVES)],)
    for turn, objective in enumerate(turns):
        compiler = COMPILERS[(program // len(CORES) + turn + 1) % 2]
        need(TOOLS[compiler])
        with guards():
            Fleet.of(networks(program), samples=3, steps=3).check(core, optimize=objective, compiler=compiler)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(0, SIMULATED, SIZE))
def test_hdl(part: int) -> None:
    need("amaranth")
    for number in range(part, min(part + SIZE, SIMULATED)):
        graph = network(number, wide=False)
        pace = (*PACES, 30)[number % 3]
        agrees(optimize(graph), stalls=number, frames=2, pace=pace, family=("", "ecp5")[number % 2])


@pytest.mark.emulator
def test_a_read_between_two_tables_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds that are read from the second one on, so that the last read is beyond them."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    planted: list[str] = []
    broken = faulty_c(model_of.render, r"(\*t = \w+_thresholds);", r"\1 + 1;", planted)
    monkeypatch.setattr(model_of, "render", broken)
    with guards(), pytest.raises(AssertionError, match=r"reads 0x.* where no object lies"):
        Fleet.of([tiny_mlp()]).check("cortex-m0plus")
    assert planted


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_write_outside_of_a_model_is_found(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|gcc|clang")
    index = {"before": "-1", "after": "sizeof *net"}[place]
    body = f"{{\n    ((uint8_t *)net)[{index}] = 0;"
    planted: list[str] = []
    broken = faulty_c(model_of.render, r"(_run\([^)]*\)\n)\{", rf"\g<1>{body}", planted)
    monkeypatch.setattr(model_of, "render", broken)
    with pytest.raises(AssertionError, match="written outside"):
        Fleet.of([tiny_mlp()]).check("host", opt_level="1", compiler="auto")
    assert planted
