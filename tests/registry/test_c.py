"""Every op's examples as C: compiled for this machine (sanitised) and for each Cortex-M, equal to numpy.

All examples of a kind are one program (see fleet.py), so every run also has many models in one firmware.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgeternary.ir import Graph
from edgeternary.run import run
from edgeternary.toolchains import find
from tests.need import need
from tests.registry.fleet import Fleet
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, kinds
from tests.registry.regressions import REGRESSIONS

TOOLS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}
ROTATING = ("cortex-m3", "cortex-m7", "cortex-m33")
BOARDS = ("qemu:mps2_an385", "qemu:mps2_an386", "qemu:mps2_an500", "qemu:mps2_an505")


def rotated(kind: str, names: tuple[str, ...]) -> str:
    """One of `names` for each kind, so that all kinds together cover them all."""
    return names[kinds().index(kind) % len(names)]


@pytest.mark.parametrize("kind", kinds())
def test_host(kind: str) -> None:
    """Addresses and undefined behaviour are checked where gcc or clang is installed."""
    sanitizers = any(find(name).found for name in ("gcc", "clang"))
    if not sanitizers:
        need("zig")
    Fleet.of(chosen(kind)).check("host", sanitize=sanitizers, opt_level="0")


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("kind", kinds())
def test_cortex_m(kind: str, core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    Fleet.of(chosen(kind, 1)).check(core)


@pytest.mark.emulator
@pytest.mark.parametrize("kind", kinds())
def test_other_cores_in_turn(kind: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    Fleet.of(chosen(kind, 2)).check(rotated(kind, ROTATING))


@pytest.mark.system
@pytest.mark.parametrize("kind", kinds())
def test_qemu_in_turn(kind: str) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm")
    Fleet.of(chosen(kind, 3)).check(rotated(kind, BOARDS), compiler="gcc")


@pytest.mark.system
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("zig", marks=pytest.mark.emulator)])
@pytest.mark.parametrize("kind", kinds())
def test_vectors(kind: str, compiler: str) -> None:
    """The M55, whose vector kernels no other core has; QEMU is the only one to run it."""
    need(TOOLS[compiler], "qemu-system-arm")
    Fleet.of(chosen(kind, 5)).check("cortex-m55", compiler=compiler)


@pytest.mark.system
@pytest.mark.parametrize("optimize", ["0", "s", "3"])
def test_other_optimisation_levels(optimize: str) -> None:
    need("arm-none-eabi-gcc", "unicorn", "capstone")
    graphs = [graph for kind in kinds() for graph in chosen(kind, 4)[:2]]
    Fleet.of(graphs).check("cortex-m0plus", compiler="gcc", opt_level=optimize)


@pytest.mark.emulator
@pytest.mark.parametrize("executor", ["host", "cortex-m4"])
@pytest.mark.parametrize("make", WHOLE + STATEFUL)
def test_taps_are_the_values_of_their_layers(make: Callable[[], Graph], executor: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    graph = make()
    codes = inputs(graph, 3)
    right, found = run(graph, codes, taps=True).taps, run(graph, codes, on=executor, taps=True).taps
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
