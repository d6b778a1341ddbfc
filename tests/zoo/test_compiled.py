"""The C of every zoo model, for each objective: all outputs of the samples that ship are what torch answered.

Each model has one of two boards. The C form of its kernels runs on this machine with all samples (of larger
models a quarter or a sixteenth), each in the program of one objective: one of two small plans in turn, and of
every second model the fastest plan. Their assembly runs in QEMU with some samples: the other small plan, and
of larger models the fastest one, which the emulator runs of the rest. EDGETERNARY_FULL=1 takes both boards,
all samples and objectives (a quarter of an hour), as does
`edgeternary zoo --on qemu:mps2_m0plus,qemu:mps2_an386`.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest

from edgeternary import cores, zoo
from edgeternary.boards import load_board
from edgeternary.c.choices import Choices
from edgeternary.c.plan import Plan
from edgeternary.c.search.search import Search
from edgeternary.c.select import OBJECTIVES, Budget, choose
from edgeternary.run import cortex_m, host, qemu
from edgeternary.run._model import of_plan
from edgeternary.run._options import Options
from edgeternary.toolchains import find
from tests.need import need

FULL = bool(os.environ.get("EDGETERNARY_FULL"))
SOME = zoo.SAMPLES if FULL else 50
BOARDS = ("mps2_m0plus", "mps2_an386")
FEW = 4
SMALL = 400_000  # multiply-accumulates; all samples of such a model take a moment, unoptimised
COUNTED = 2_000_000  # multiply-accumulates; larger models consist of the same layers, and counting takes long
ESTIMATE = (0.7, 1.45)  # measured cycles / estimated ones

BOARD = {name: BOARDS[(k + 1) % 2] for k, name in enumerate(zoo.names())}


@cache
def plans(name: str, core: str) -> dict[str, Plan]:
    """The plan of each objective; what there is to choose from is found once."""
    graph, target = zoo.load(name), cores.core(core)
    labels = Search(Choices(graph, target)).labels()
    return {objective: choose(graph, target, labels, objective, Budget()) for objective in OBJECTIVES}


def small(name: str, turn: int) -> str:
    """One of the two objectives other than cycles; the other turn is the other one."""
    return OBJECTIVES[1 + (zoo.names().index(name) // len(BOARDS) + turn) % 2]


@pytest.mark.parametrize("name", zoo.names())
def test_host(name: str) -> None:
    fast = find("gcc").found  # builds straight-line code without optimisation in seconds
    if not fast:
        need("zig")
    options = Options.read({"compiler": "gcc" if fast else "zig", "opt_level": "0"})
    (inputs, _), (codes, _) = zoo.images(name), zoo.logits(name)
    macs = zoo.card(name)["macs"]
    every = 1 if FULL or macs <= SMALL else 4 if macs <= COUNTED else 16
    found_of = plans(name, load_board(BOARD[name]).core)
    fastest = ("cycles",) if zoo.names().index(name) // len(BOARDS) % 2 else ()
    chosen = OBJECTIVES if FULL else (*fastest, small(name, 1))
    for turn, objective in enumerate(chosen):
        plan, part = found_of[objective], slice(turn, None, every * len(chosen))
        found = host.execute(plan.graph, inputs[part], of_plan(plan), options).outputs
        np.testing.assert_array_equal(found, codes[part], f"optimized for {objective}")


@pytest.mark.system
@pytest.mark.parametrize(
    ("name", "board"),
    [(name, board) for name in zoo.names() for board in BOARDS if FULL or board == BOARD[name]],
)
def test_qemu(name: str, board: str) -> None:
    need("qemu-system-arm", "zig|arm-none-eabi-gcc")
    inputs, (codes, _), target = zoo.images(name)[0][:SOME], zoo.logits(name), load_board(board)
    found_of = plans(name, target.core)
    chosen = (*(("cycles",) if zoo.card(name)["macs"] > COUNTED else ()), small(name, 0))
    for objective in OBJECTIVES if FULL else chosen:
        plan, options = found_of[objective], Options.read({"compiler": compiler()})
        found = qemu.execute(plan.graph, inputs, target, of_plan(plan), options).outputs
        np.testing.assert_array_equal(found, codes[:SOME], f"optimized for {objective}")


@pytest.mark.emulator
@pytest.mark.parametrize("name", [name for name in zoo.names() if zoo.card(name)["macs"] <= COUNTED])
def test_the_fastest_plan_takes_about_the_estimated_cycles(name: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    plan = plans(name, load_board(BOARD[name]).core)["cycles"]
    inputs, (codes, _) = zoo.images(name)[0][:FEW], zoo.logits(name)
    found = cortex_m.run_plan(plan, inputs, options={"compiler": compiler(), "count": 1})
    np.testing.assert_array_equal(found.outputs, codes[:FEW])
    assert ESTIMATE[0] < found.stats["cycles"] / plan.cycles < ESTIMATE[1]


def compiler() -> str:
    return "gcc" if find("arm-none-eabi-gcc").found else "zig"
