"""compile --max-flash, --max-ram, --max-cycles: plans that keep limits, and refusals that help.

What comes near a limit is built and measured, whether or not `--build` is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeternary import zoo
from edgeternary.build.judged import FACTOR, ROOM
from edgeternary.c.select import select
from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.run.cortex_m import parts_of
from edgeternary.toolchains import compilers
from tests.cli.conftest import Answer
from tests.full import FULL
from tests.need import need

Call = Callable[..., Answer]
CNN = ("compile", "zoo:mnist-cnn-small", "--core", "cortex-m4", "-o", "out", "--json")
FRAME = 36  # bytes of what conv2d_stream knows of its windows, which is no table of a plan
COMPILERS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}
pytestmark = pytest.mark.emulator


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def code(path: str = "out") -> str:
    return (Path(path) / "mnist_cnn_small.c").read_text()


@pytest.mark.parametrize("optimize", ["cycles", "flash", "ram"])
def test_objectives_and_limits(et: Call, optimize: str) -> None:
    need("zig", "unicorn", "capstone")
    free = et(*CNN).json()["estimates"]
    limits = ("--max-flash", "22k", "--max-ram", "12k", "--max-cycles", "1200k")
    answer = et(*CNN, "--optimize", optimize, *limits)
    assert answer.code == 0, answer.err
    kept, measured = answer.json()["estimates"], answer.json()["measured"]
    assert measured["flash_bytes"] <= 22 * 1024 and measured["ram_bytes"] <= 12 * 1024
    assert measured["cycles"] <= 1_200_000
    assert free["estimated_cycles"] <= kept["estimated_cycles"]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_limit_judges_what_is_built(et: Call, compiler: str) -> None:
    """A limit that the estimate keeps and the built model does not; --build changes nothing in the plan."""
    need(COMPILERS[compiler], "unicorn", "capstone")
    free = et(*CNN, "--compiler", compiler, "--build").json()
    built, estimated = free["measured"]["flash_bytes"], free["estimates"]["estimated_flash_bytes"]
    assert estimated < built
    for limit in (built, (built + estimated) // 2):
        answer = et(*CNN, "--compiler", compiler, "--max-flash", limit)
        assert answer.code == 0, answer.err
        measured = answer.json()["measured"]
        assert measured["flash_bytes"] <= limit
        parts = [measured[word] for word in ("table_bytes", "kernel_bytes", "routine_bytes")]
        assert sum(parts) == measured["flash_bytes"] and min(parts) > 0
        assert measured["flash_bytes"] == built or limit < built
    not_built = code()
    assert et(*CNN, "--compiler", compiler, "--max-flash", limit, "--build").code == 0
    assert code() == not_built


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (("--max-flash", "2k"), r"conv3 does not fit: .* bytes of flash, --max-flash allows 2,048"),
        (("--max-ram", "2k"), r"does not fit: needs [\d,]+ bytes of RAM, --max-ram allows 2,048"),
        (("--max-cycles", "10k"), r"is too slow: .* cycles, --max-cycles allows 10,000"),
        pytest.param(
            ("--max-flash", "20k", "--max-cycles", "500k"),
            r"no plan of \S+ keeps all limits together",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_refusals_name_the_layer_and_what_would_do(et: Call, limit: tuple[str, ...], words: str) -> None:
    need("zig", "unicorn", "capstone")
    answer = et(*CNN, *limit)
    assert answer.code == 5
    assert re.search(words, answer.err), answer.err
    assert "try:" in answer.err and not Path("out").exists()
    hints = re.findall(r"(--max-(?:flash|ram|cycles)) (\d+k)", answer.err[answer.err.index("try:") :])
    assert len(hints) == (2 if len(limit) == 4 else "--max-cycles" not in limit)
    for option, named in hints if FULL else hints[:1]:
        other = [word for i in range(0, len(limit), 2) if limit[i] != option for word in limit[i : i + 2]]
        assert et(*CNN, option, named, *other).code == 0, f"{option} {named} does not do"


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_smallest_is_the_smallest_of_all_that_were_built(et: Call, compiler: str) -> None:
    """By estimates the fastest plan is not the smallest; a refusal does not name more than it takes."""
    need(COMPILERS[compiler], "unicorn", "capstone")
    command = ("compile", "zoo:mnist-cnn-int8", *CNN[2:], "--compiler", compiler)
    built = parts_of(select(zoo.load("mnist-cnn-int8"), "cortex-m4"), {"compiler": compiler}).flash_bytes
    answer = et(*command, "--max-flash", "6k")
    needed = re.search(r"needs ([\d,]+) bytes of flash", answer.err)
    assert answer.code == 5 and needed and int(needed[1].replace(",", "")) <= built
    named = re.search(r"--max-flash (\d+k), or", answer.err)
    assert named and et(*command, "--max-flash", named[1]).code == 0


def without(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    def missing(*arguments: object) -> None:
        raise EdgeTernaryError("no such tool was found", code=TOOL_MISSING)

    monkeypatch.setattr(owner, name, missing)


def test_without_a_compiler_estimates_judge_and_say_so(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, compilers, "for_core")
    answer = et(*CNN, "--max-flash", "18k", "--max-cycles", "2M")
    assert answer.code == 0
    assert answer.json()["estimates"]["not_measured"] == "cycles, flash: no such tool was found"
    assert answer.json()["measured"] == {}
    assert "not_measured" in et(*CNN[:-1], "--max-flash", "18k").out
    assert et(*CNN, "--max-flash", "1k").code == 5


def test_without_an_emulator_flash_is_measured(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig")
    without(monkeypatch, __import__("edgeternary.run.cortex_m", fromlist=["x"]), "require")
    answer = et(*CNN, "--max-flash", "26k", "--max-cycles", "2M")
    assert answer.code == 0, answer.err
    assert answer.json()["estimates"]["not_measured"] == "cycles: no such tool was found"
    assert 20_000 < answer.json()["measured"]["flash_bytes"] <= 26 * 1024


def test_a_far_limit_asks_for_no_compiler(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, compilers, "for_core")
    answer = et(*CNN, "--max-flash", "1M", "--max-ram", "1M")
    assert answer.code == 0 and "not_measured" not in answer.json()["estimates"]


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
@pytest.mark.parametrize("name", ["mnist-mlp-ternary-64", "mnist-cnn-small"])
def test_estimates_are_near_enough_to_know_what_must_be_built(name: str, core: str) -> None:
    """No built model exceeds FACTOR times its estimate and ROOM, so all that could is measured."""
    need("zig", "arm-none-eabi-gcc")
    for optimize in ("cycles", "flash"):
        plan = select(zoo.load(name), core, optimize)
        for compiler in COMPILERS:
            built = parts_of(plan, {"compiler": compiler})
            assert built.flash_bytes <= FACTOR * plan.flash_bytes + ROOM
            frames = FRAME * sum(step.kernel.name == "conv2d_stream" for step in plan.calls)
            assert abs(built.table_bytes - sum(plan.tables)) <= 8 * len(plan.calls) + frames
            assert built.flash_bytes > sum(plan.tables) and 0 < built.routine_bytes < 5000


def test_limits_are_for_cores(et: Call, model: Path) -> None:
    assert et("compile", model, "--device", "ice40", "--max-ram", "4k").code == 2
