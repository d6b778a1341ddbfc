"""compile: every option has an effect on the target or is refused; goals that exclude each other are, too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeternary
from edgeternary.build import fpga, project
from edgeternary.cli import _used
from edgeternary.cli.compile import command
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.ops import Dense, build
from tests.cli.conftest import Answer
from tests.hdl.test_tables import classifier
from tests.need import need

Call = Callable[..., Answer]
VALUES = {  # of each option: one that is not the default
    "output": "elsewhere", "build": None, "report": None, "as_json": "", "from_layer": "conv",
    "argmax": "",
    "compiler": "gcc", "opt_level": "3", "optimize": "ram", "max_flash": "1M", "max_ram": "1M",
    "max_cycles": "100M", "fps": "1000", "max_luts": "4000", "maximize": "fps", "clock": "10",
    "latency": "40", "embedded": "", "seeds": "2", "yosys": "native",
}  # fmt: skip
TARGETS = {
    "core": ("--core", "cortex-m4"), "host": ("--core", "host"), "mcu": ("--board", "pico"),
    "part": ("--device", "up5k"), "family": ("--device", "ice40"), "counted": ("--device", "xc7a35t"),
    "fpga board": ("--board", "icebreaker"),
}  # fmt: skip
COMPILED = {("core", True), ("host", True), ("mcu", True), ("mcu", False)}  # a board's memory is a limit
SOFTWARE, PARTS = ("core", "host", "mcu"), ("part", "counted", "fpga board")
USED = {  # by option, the (target, built) that it means something for, spelt out once more
    **dict.fromkeys(("compiler", "opt_level"), lambda target, built: (target, built) in COMPILED),
    **dict.fromkeys(("optimize", "max_flash"), lambda target, built: target in SOFTWARE),
    **dict.fromkeys(("max_ram", "max_cycles"), lambda target, built: target in SOFTWARE),
    **dict.fromkeys(("fps", "max_luts", "maximize"), lambda target, built: target in PARTS),
    **dict.fromkeys(("clock", "embedded"), lambda target, built: target in ("part", "counted")),
    "latency": lambda target, built: target not in SOFTWARE,
    "seeds": lambda target, built: built and target in ("part", "fpga board"),
    "yosys": lambda target, built: target not in SOFTWARE,
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("amaranth")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `compile` is called with, in place of compiling."""
    calls: list[dict[str, Any]] = []

    def record(graph: Graph, **options: Any) -> project.Project:
        calls.append({**options, "progress": None, "graph": (graph.input.name, graph.outputs)})
        return project.Project("target", {}, {})

    monkeypatch.setattr(project, "compile", record)
    return calls


def test_every_option_has_a_rule_and_a_value() -> None:
    names = {str(option.name) for option in command.params} | {"debug"}  # which every verb gets
    assert names == set(_used.RULES)
    elsewhere = {"sound"}  # which needs a model of features: tests/features/test_cli.py
    assert names - {"model", "core", "device", "board", "debug"} - elsewhere == set(VALUES)


def test_a_traceback_may_be_asked_for_after_the_verb(et: Call, model: Path, asked: list[object]) -> None:
    assert et("compile", model, "--core", "host", "--debug").code == 0


@pytest.mark.parametrize("built", [False, True], ids=["plan", "build"])
@pytest.mark.parametrize("target", TARGETS)
def test_an_option_is_used_or_refused(
    et: Call, model: Path, asked: list[dict[str, Any]], target: str, built: bool
) -> None:
    plain = ("compile", model, *TARGETS[target], "--build" if built else "--no-build")
    assert et(*plain).code == 0
    for option in command.params:
        name = str(option.name)
        value = VALUES.get(name)
        if value is None or name in ("output", "as_json"):
            continue
        answer = et(*plain, option.opts[0], *filter(None, [value]))
        if name not in USED or USED[name](target, built):
            assert answer.code == 0, (name, answer.err)
            assert asked[-1] != asked[0], f"{name} reaches nothing"
        else:
            assert answer.code == 2, (name, answer.err)
            assert f"{option.opts[0]} has no effect on" in answer.err


@pytest.mark.parametrize("target", ["core", "host"])
def test_a_compiler_is_used_where_a_limit_is_measured(
    et: Call, model: Path, asked: list[dict[str, Any]], target: str
) -> None:
    """Code for this machine is not measured."""
    answer = et("compile", model, *TARGETS[target], "--compiler", "gcc", "--max-flash", "9k")
    assert answer.code == (0 if target == "core" else 2), answer.err


def wide(path: Path, inputs: int = 96) -> Path:
    """A net whose designs differ in speed, in size and in kernels."""
    rng = np.random.default_rng(2)
    x = build.value("x", (inputs,), "uint4")
    first = Dense(
        name="fc1", inputs=("x",), weights=build.codes(rng, (64, inputs), "ternary"), weight_type="ternary",
        bias=np.zeros(64, np.int32),
    )  # fmt: skip
    act = build.random_thresholds(rng, build.graph(x, first).output_value, "uint2", "act1")
    last = Dense(
        name="fc2", inputs=("act1",), weights=build.codes(rng, (6, 64), "ternary"), weight_type="ternary",
        bias=np.zeros(6, np.int32),
    )  # fmt: skip
    edgeternary.save(build.graph(x, first, act, last, name="wide"), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "option"),
    [
        (("--device", "up5k"), ("--fps", "100000")), (("--device", "up5k"), ("--max-luts", "900")),
        (("--device", "ecp5-25f"), ("--maximize", "fps")), (("--device", "up5k"), ("--clock", "20")),
        (("--device", "ecp5-85f"), ("--latency", "40")), (("--device", "up5k"), ("--embedded",)),
        (("--device", "up5k"), ("--from", "act1")),
        (("--core", "cortex-m4"), ("--optimize", "flash")), (("--core", "cortex-m4"), ("--max-flash", "5k")),
        (("--core", "cortex-m4"), ("--from", "act1")), (("--board", "pico"), ("--max-flash", "5k")),
    ],
    ids=lambda words: " ".join(words),
)  # fmt: skip
def test_what_is_not_refused_changes_something(
    et: Call, tmp_path: Path, target: tuple[str, ...], option: tuple[str, ...]
) -> None:
    model = wide(tmp_path / "wide.et", 24 if "--latency" in option else 96)  # the former as wires
    call = ("compile", model, *target, "--no-build", "-o", "out", "--json")
    free, bound = et(*call), et(*call, *option)
    assert free.code == bound.code == 0, bound.err
    assert free.json()["estimates"] != bound.json()["estimates"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fps", "1000", "--maximize", "fps"), "--maximize and --fps exclude each other"),
        (("--latency", "40", "--maximize", "fps"), "--maximize and --latency exclude each other"),
    ],
)
def test_goals_that_exclude_each_other(et: Call, model: Path, options: tuple[str, ...], words: str) -> None:
    answer = et("compile", model, "--device", "up5k", *options)
    assert answer.code == 2 and words in answer.err


def test_python_refuses_them_too(model: Path) -> None:
    graph = edgeternary.load(model)
    with pytest.raises(EdgeTernaryError, match=r"no hardware to plan.*cortex-m4 is no FPGA") as caught:
        edgeternary.compile(graph, core="cortex-m4", hardware=Constraints(fps=100))
    assert caught.value.code == 2
    with pytest.raises(EdgeTernaryError, match="seeds are of no use here") as caught:
        edgeternary.compile(graph, device="up5k", hardware=Constraints(seeds=2))
    assert caught.value.code == 2


@pytest.mark.slow
def test_a_refused_rate_names_one_that_is_planned(
    et: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hint that a refusal prints is taken: planned, not written. Circuits of the graph are made once."""
    path, tried = wide(tmp_path / "wide.et"), 0
    graph = edgeternary.load(path)
    monkeypatch.setattr(edgeternary, "load", lambda _: graph)
    monkeypatch.setattr(fpga, "written", lambda *_: {})
    refused = [("--fps", "5000000"), ("--fps", "1000000", "--max-luts", "700"), ("--max-luts", "300"),
               ("--fps", "2000000", "--device", "hx1k"), ("--latency", "3")]  # fmt: skip
    for options in refused:
        device = () if "--device" in options else ("--device", "up5k")
        answer = et("compile", path, *device, *options, "-o", "out")
        assert answer.code == 5, answer.err
        remedy = answer.err.partition("try:")[2]
        for hint in re.findall(r"(--[a-z-]+) ([\w.-]+)", remedy):
            taken = dict(zip((*device, *options)[::2], (*device, *options)[1::2], strict=True)) | dict([hint])
            words = (word for pair in taken.items() for word in pair)
            found = et("compile", path, *words, "-o", "out", "--no-report")
            assert found.code == 0, (options, hint, found.err)
            tried += 1
    assert tried >= 6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--clock", "20"), "--clock has no effect here"),
        (("--fps", "1000", "--maximize", "fps"), "--maximize and --fps exclude each other"),
        (("--on", "hdl:ice40", "--embedded"), "--embedded has no effect on ice40"),
        (("--on", "hdl", "--embedded"), "--embedded needs an executor with a device"),
        (("--on", "bitstream:up5k", "--embedded"), "executor bitstream runs no embedded core"),
    ],
)
def test_simulate_refuses_them_too(et: Call, model: Path, options: tuple[str, ...], words: str) -> None:
    answer = et("simulate", model, "--on", "hdl:up5k", *options)
    assert answer.code == 2 and words in answer.err


def test_simulate_takes_a_clock_beside_a_latency(et: Call, tmp_path: Path) -> None:
    """A faster clock takes more stages than this latency leaves."""
    need("amaranth")
    path = tmp_path / "tables.et"
    edgeternary.save(classifier(4), path)
    for clock, code in (("20", 0), ("250", 5)):
        options = ("--embedded", "--latency", "6", "--clock", clock, "--samples", "2", "--compare")
        answer = et("simulate", path, "--on", "hdl:ecp5-25f", *options)
        assert answer.code == code, answer.err
