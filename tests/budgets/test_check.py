"""edgeternary check: table, exit codes, JUnit, Markdown, the last release; and what uses it in CI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary import cli
from edgeternary.budgets import measure
from edgeternary.budgets.table import Budget, read
from edgeternary.build import c_project
from edgeternary.c import select
from edgeternary.ir.file import save
from edgeternary.report.tiny import tiny_graph
from tests.need import need

ROOT = Path(__file__).resolve().parents[2]
TABLE = """
[model.tiny]
file = "nets/tiny.et"
inputs = "nets/x.npz"
core = "m4"
max_cycles = {cycles}
max_flash = {flash}
min_accuracy = {accuracy}
exact = {{ on = ["host"], samples = 2 }}
"""
BUILT = {"cycles": 900, "flash_bytes": 2000, "ram_bytes": 300}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a model and its labelled inputs; budgets are held; nothing is built for the core."""
    (tmp_path / "nets").mkdir()
    save(tiny_graph(), tmp_path / "nets" / "tiny.et")
    x = np.random.default_rng(0).integers(0, 256, (1000, 6, 6, 1), dtype=np.uint8)
    np.savez(tmp_path / "nets" / "x.npz", inputs=x, labels=np.zeros(1000, int))
    table(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measure, "_built", built)
    yield tmp_path


def built(budget: Any, graph: Any, say: Any, limited: bool) -> Any:
    from edgeternary.build.project import Project

    return Project("m4", {}, {}, dict(BUILT))


def table(folder: Path, cycles: int = 1000, flash: int = 4096, accuracy: float = 0) -> None:
    text = TABLE.format(cycles=cycles, flash=flash, accuracy=accuracy)
    (folder / "edgeternary.toml").write_text(text)


def check(*words: str) -> int:
    return cli.call(["check", *words])


def test_held(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need("zig|gcc|clang")
    assert check("--update", "--junit", "j.xml", "--markdown", "s.md") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["model", "what", "measured", "budget", "verdict"]
    assert lines[1].split() == ["tiny", "cycles", "900", "1,000", "held"] and len(lines) == 5
    released = json.loads((project / "edgeternary.lock.json").read_text())["tiny"]
    assert released["cycles"] == 900 and set(released) == {"cycles", "flash_bytes", "accuracy"}
    suite = ET.parse(project / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "0")
    assert "All budgets are held" in (project / "s.md").read_text()


def test_exceeded_beside_the_last_release(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "edgeternary.lock.json").write_text('{"tiny": {"cycles": 800}, "other": {"cycles": 1}}')
    table(project, cycles=899, accuracy=100)
    words = ("--json", "--update", "--junit", "j.xml", "--markdown", "s.md")
    assert check(*words) == 5
    seen = capsys.readouterr()
    row = json.loads(seen.out)[0]
    assert (row["released"], row["difference"], row["verdict"]) == (800, 100, "exceeded")
    assert "2 of 4 budgets are not held" in seen.err
    assert json.loads((project / "edgeternary.lock.json").read_text())["tiny"] == {"cycles": 800}
    failed = ET.parse(project / "j.xml").getroot().findall("testcase/failure")
    assert [one.get("type") for one in failed] == ["exceeded"] * 2
    text = (project / "s.md").read_text()
    assert "| tiny | cycles | 900 | 899 | +100 (+12.5%) | **exceeded** |" in text


def test_not_bit_exact_comes_first(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = measure.compare
    monkeypatch.setattr(
        measure, "compare", lambda *a, **k: [replace(found, mismatches=1) for found in compare(*a, **k)]
    )
    table(project, cycles=1)
    assert check() == 4
    assert "tiny: exact host is not bit-exact" in capsys.readouterr().err


def test_bad_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("none.toml") == 1
    assert check("--only", "tini") == 2 and "did you mean tiny?" in capsys.readouterr().err
    (project / "edgeternary.lock.json").write_text("[]")
    assert check() == 1 and "--update" in capsys.readouterr().err
    (project / "edgeternary.lock.json").unlink()
    (project / "nets" / "tiny.et").unlink()
    assert check() == 1


def test_a_figure_that_is_not_measured(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT, "cycles", None)
    assert check("--junit", "j.xml") == 1
    (failed,) = ET.parse(project / "j.xml").getroot().findall("testcase/failure")
    assert failed.get("type") == "not measured"


def test_a_budget_that_no_plan_keeps_is_planned_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    made: list[Any] = []

    def planner(*arguments: Any, **options: Any) -> Any:
        made.append(select.Planner(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(c_project, "Planner", planner)
    budget = Budget(file="tiny.et", core="m4", max_flash=1, max_cycles=9_000_000)
    found = list(measure.rows("tiny", budget, tiny_graph(), None, None, lambda text: None))
    assert [row.verdict for row in found] == [measure.HELD, measure.EXCEEDED]
    assert found[1].measured and len(made) == 1


@pytest.mark.parametrize("name", read(ROOT / "edgeternary.toml"))
def test_our_own_budgets_are_held(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    need("zig", "unicorn", "capstone")
    budget = read(ROOT / "edgeternary.toml")[name]
    if budget.exact and "hdl" in budget.exact.on:
        need("amaranth")
    assert check(str(ROOT / "edgeternary.toml"), "--only", name, "--json") == 0, capsys.readouterr().err
    assert all(row["difference"] is not None for row in json.loads(capsys.readouterr().out) if row["budget"])


def run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script of a CI file, where `edgeternary` is this one."""
    tools = folder / "bin"
    tools.mkdir()
    (tools / "edgeternary").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgeternary "$@"\n')
    (tools / "edgeternary").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def exact_only(folder: Path) -> None:
    (folder / "edgeternary.toml").write_text(
        '[model.tiny]\nfile = "nets/tiny.et"\nexact = { on = ["host"], samples = 2 }\n'
        '[model.other]\nfile = "nets/none.et"\nexact = { on = ["host"] }\n'
    )


def test_the_github_action(project: Path) -> None:
    yaml = pytest.importorskip("yaml")
    if not shutil.which("bash"):
        pytest.skip("the action runs in bash")
    exact_only(project)
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (step,) = (step for step in action["runs"]["steps"] if step.get("name") == "check")
    values = {name: str(one["default"]) for name, one in action["inputs"].items()} | {"only": "tiny"}
    variables = {key: values[text.split("inputs.")[1].rstrip(" }")] for key, text in step["env"].items()}
    done = run(step["run"], project, **variables, GITHUB_STEP_SUMMARY=str(project / "summary.md"))
    assert done.returncode == 0, done.stderr
    assert (
        "All budgets are held" in (project / "summary.md").read_text() and (project / "budgets.xml").exists()
    )
    workflow = yaml.safe_load((ROOT / "examples" / "ci" / "budgets.yml").read_text())
    (used,) = (step for step in workflow["jobs"]["budgets"]["steps"] if "edgeternary" in step.get("uses", ""))
    assert set(used["with"]) <= set(action["inputs"])


def test_the_gitlab_template(project: Path) -> None:
    yaml = pytest.importorskip("yaml")
    if not shutil.which("bash"):
        pytest.skip("its scripts run in a shell")
    exact_only(project)
    job = yaml.safe_load((ROOT / "examples" / "ci" / ".gitlab-ci.yml").read_text())["budgets"]
    done = run("\n".join(job["script"]), project, BUDGETS=job["variables"]["BUDGETS"])
    assert done.returncode == 1 and "none.et" in done.stderr  # the second model is missing
    shutil.rmtree(project / "bin")
    done = run("\n".join(job["script"]) + " --only tiny", project, BUDGETS=job["variables"]["BUDGETS"])
    assert done.returncode == 0, done.stderr
    assert all((project / name).exists() for name in (job["artifacts"]["reports"]["junit"], "budgets.md"))
