"""The commands of benchmarks/: what they print and write, their Makefile targets, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import draw, published, suite
from benchmarks.__main__ import app
from edgeternary import cli
from edgeternary.bench import int8, rows
from edgeternary.bench.layers import parse
from tests.cli.conftest import Answer
from tests.need import need

ROOT = Path(__file__).resolve().parents[2]
Call = Callable[..., Answer]


@pytest.fixture
def tools() -> None:
    need("zig", "unicorn", "capstone")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three modes of the suite's layers."""
    monkeypatch.setattr(suite, "MODES", suite.MODES[4:7])


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = cli.call([str(argument) for argument in arguments], app)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.mark.emulator
@pytest.mark.usefixtures("tools", "few")
def test_a_part_of_the_suite_as_a_document(bench: Call, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    answer = bench("suite", "--only", "dense:128-10", "--core", "m4", "--document", page)
    assert answer.code == 0, answer.err
    kept = json.loads(page.with_suffix(".json").read_text())
    assert len(kept) == len(suite.MODES) and {row["core"] for row in kept} == {"cortex-m4"}
    assert "dense:128-10" in page.read_text() and page.with_suffix(".svg").read_text().startswith("<svg")
    first = page.read_text()
    assert bench("suite", "--rows", page.with_suffix(".json"), "--document", page).code == 0
    assert page.read_text() == first


@pytest.mark.emulator
@pytest.mark.usefixtures("tools", "few")
def test_a_document_goes_on_where_it_was_broken_off(
    bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, measured = tmp_path / "page.md", []
    real = rows.measure_plan

    def breaks(plan: Any, *more: Any) -> rows.Row:
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(plan)
        return real(plan, *more)

    monkeypatch.setattr(rows, "measure_plan", breaks)
    arguments = ("suite", "--only", "dense:128-10", "--core", "m33", "--document", page)
    bench(*arguments)
    assert len(page.with_suffix(".partial").read_text().splitlines()) == 2 and not page.exists()
    monkeypatch.setattr(rows, "measure_plan", lambda *more: measured.append(more[0]) or real(*more))
    assert bench(*arguments).code == 0
    assert len(measured) == len(suite.MODES) and not page.with_suffix(".partial").exists()
    text = page.read_text()
    assert "| dense:128-10 |" in text and "### dense:128-10" not in text, "a core without tables a layer"


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
def test_layers_drawn_by_a_seed_beside_the_suite(bench: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    few = ("dense:128-10", "pointwise:25x5x64-64")
    layers = int8.opponent().layers
    small = int8.Opponent("a test", {name: layers[name] for name in few})
    monkeypatch.setattr(int8, "opponent", lambda: small)
    answer = bench(
        "draw", "--count", "5", "--seed", "6", "--core", "m4", "--activations", "ternary", "--json"
    )
    assert answer.code == 0, answer.err
    found = answer.json()
    assert [row["layer"].split(":")[0] for row in found["layers"]] == list(draw.KINDS)
    for row in found["layers"]:
        assert row["mismatches"] == 0 and row["mode"] == "ternary x ternary"
        assert row["baseline_layer"] == int8.FITTED
        assert row["share"] == pytest.approx(row["ratio"] / row["suite_median"], rel=1e-2)
    assert found["totals"][0]["layers"] == 5


@pytest.mark.emulator
@pytest.mark.usefixtures("tools", "few")
def test_calibration_tells_the_error_of_each_kernel(bench: Call) -> None:
    answer = bench("calibrate", "--only", "dense:128-10", "--core", "m4", "--json")
    found = {row["kernel"]: row for row in answer.json()}
    assert {"dense", "dense_planes"} <= set(found)
    assert all(0.2 < row["factor"] < 5 and row["worst_ratio"] > 0 for row in found.values())


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
def test_the_chosen_kernel_beside_all_candidates(bench: Call) -> None:
    answer = bench("choice", "--count", "1", "--seed", "9", "--core", "m4", "--json")
    assert answer.code == 0, answer.err
    found = answer.json()
    (row,), (total,) = found["layers"], found["totals"]
    efforts = row["candidates"]
    assert len(efforts) > 2 and row["cycles"] in efforts.values() and row["mode"].startswith("int2")
    assert row["loss"] == pytest.approx(row["cycles"] / min(efforts.values()) - 1, abs=1e-4)
    assert total["layers"] == 1 and total["within"] == (row["loss"] <= 0.05) and total["mismatches"] == 0


def test_what_is_not_there_is_refused_with_what_is(bench: Call) -> None:
    for command, word in (("suite", "transformer"), ("fpga", "hx99"), ("calibrate", "lstm")):
        answer = bench(command, "--only", word)
        assert answer.code == 2 and "there are" in answer.err


def test_every_command_has_a_target_and_a_line_in_the_readme() -> None:
    (listed,) = re.findall(r"^BENCHMARKS := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert sorted(listed.split()) == sorted(app.commands)
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `make bench-(\w+)` \|", readme, re.M)) == set(app.commands)


def test_published_figures() -> None:
    """Every layer can be made, an MLP is the sum of its layers, and every core of the columns is a core."""
    from edgeternary.cores import CORTEX_M

    known = int8.opponent().layers
    assert all(parse(name).name == name and figures.m0plus > figures.m55 for name, figures in known.items())
    assert set(int8.CORES) < set(CORTEX_M)
    mlp = published.networks()["mlp"]
    assert mlp.on("cortex-m4") == sum(known[name].m4 * known[name].weights for name in mlp.layers)
    assert mlp.on("cortex-m33") is None
    named = {(design.name, design.data) for design in published.designs()}
    assert len(named) == len(published.designs()) >= 8
