"""Every op's examples as C: compiled for this machine (sanitised) and for each Cortex-M, equal to numpy.

The examples of many kinds are one program (see fleet.py), so every run also has many models in one firmware.
EDGETERNARY_FULL=1 has all kinds for both compilers of the M55 and at each level of optimisation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.toolchains import find
from tests.full import FULL, pairs
from tests.need import need
from tests.registry.fleet import Fleet
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, kinds
from tests.registry.regressions import REGRESSIONS

TOOLS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}
ROTATING = ("cortex-m3", "cortex-m7", "cortex-m33")
BOARDS = ("qemu:mps2_an385", "qemu:mps2_an386", "qemu:mps2_an500", "qemu:mps2_an505")


PARTS = 2  # programs that hold the kinds of op between them
LEVELS = ("0", "s", "3")


def examples(part: int, parts: int, seed: int = 0) -> list[Graph]:
    """Of every `parts`-th kind, so that all parts together cover all of them."""
    return [graph for kind in kinds()[part::parts] for graph in chosen(kind, seed)]


@pytest.mark.parametrize("part", range(PARTS))
def test_host(part: int) -> None:
    """Addresses and undefined behaviour are checked where gcc or clang is installed."""
    sanitizers = any(find(name).found for name in ("gcc", "clang"))
    if not sanitizers:
        need("zig")
    Fleet.of(examples(part, PARTS)).check("host", sanitize=sanitizers, opt_level="0")


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("part", range(PARTS))
def test_cortex_m(part: int, core: str) -> None:
    """Each kind by zig on one of the cores and by gcc, where it is installed, on the other one."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    gcc = find(TOOLS["gcc"]).found and part % 2 == (core == "cortex-m0plus")
    Fleet.of(examples(part, PARTS, 1)).check(core, compiler="gcc" if gcc else "auto")


@pytest.mark.emulator
@pytest.mark.parametrize("core", ROTATING)
def test_other_cores_share_the_kinds(core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    Fleet.of(examples(ROTATING.index(core), len(ROTATING), 2)).check(core)


@pytest.mark.system
@pytest.mark.parametrize("board", BOARDS)
def test_boards_share_the_kinds(board: str) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    Fleet.of(examples(BOARDS.index(board), len(BOARDS), 3)).check(board, compiler="gcc")


@pytest.mark.system
@pytest.mark.parametrize(
    ("part", "compiler"),
    [(0, "gcc"), pytest.param(1, "zig", marks=pytest.mark.emulator), *([(0, "zig"), (1, "gcc")] * FULL)],
)
def test_vectors(part: int, compiler: str) -> None:
    """The M55, whose vector kernels no other core has; QEMU is the only one to run it."""
    need(TOOLS[compiler], "qemu-system-arm")
    Fleet.of(examples(part, PARTS, 5)).check("cortex-m55", compiler=compiler)


@pytest.mark.system
@pytest.mark.parametrize("optimize", LEVELS)
def test_other_optimisation_levels(optimize: str) -> None:
    need("arm-none-eabi-gcc", "unicorn", "capstone")
    share = slice(None) if FULL else slice(LEVELS.index(optimize), None, len(LEVELS))
    graphs = [graph for kind in kinds()[share] for graph in chosen(kind, 4)[:2]]
    Fleet.of(graphs).check("cortex-m0plus", compiler="gcc", opt_level=optimize)


@pytest.mark.emulator
@pytest.mark.parametrize(("make", "executor"), pairs(WHOLE + STATEFUL, ["host", "cortex-m4"]))
def test_taps_are_the_values_of_their_layers(make: Callable[[], Graph], executor: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    graph = make()
    codes = inputs(graph, 3)
    right, found = (
        run(graph, codes, taps=True).taps,
        run(graph, codes, on=executor, taps=True, options={"count": 0}).taps,
    )
    assert graph.output in found
    for name, value in found.items():
        np.testing.assert_array_equal(value, right[name], err_msg=name)


def stateful_and_whole() -> list[Graph]:
    makers: tuple[Callable[[], Graph], ...] = WHOLE + STATEFUL + REGRESSIONS
    return [make() for make in makers]


@pytest.mark.emulator
@pytest.mark.parametrize("executor", ["host", "cortex-m0plus", "cortex-m4"])
def test_whole_models_with_and_without_states(executor: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    Fleet.of(stateful_and_whole(), samples=6, steps=7).check(executor)
