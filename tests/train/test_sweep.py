"""Sweeps and the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from edgeternary.cli import call as command_line
from edgeternary.errors import EdgeTernaryError
from edgeternary.train import find_recipe
from edgeternary.train.sweep import axes_of, plan, slug
from edgeternary.train.sweep_table import cross_validated, markdown, rows_of
from edgeternary.train.toml import from_table, to_table
from tests.train.stripes import RECIPE, TOML

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
SWEEP = """
[sweep]
model.activations = ["bipolar", 2]
train.batch = [50, 100]
seed = [0, 1]
epochs = 1
"""


def test_a_plan_has_every_combination(tmp_path):
    axes = axes_of({"model": {"activations": ["bipolar", 2]}, "train": {"batch": [50]}, "seed": [0, 1, 2]})
    assert axes == {"model.activations": ["bipolar", 2], "train.batch": [50], "train.seed": [0, 1, 2]}
    runs = plan(RECIPE, axes, tmp_path)
    assert len(runs) == 6 and runs[4].folder.name == "activations=2,seed=1"
    assert runs[4].table["model"]["activations"] == 2 and runs[4].table["train"]["seed"] == 1
    assert "activations" not in runs[0].folder.parent.name and runs[0].table["train"]["batch"] == 50
    assert slug({"model.channels": [16, "a/b"]}) == "channels=_16,_a_b_"


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        ({"model.activation": [1, 2]}, "did you mean 'activations'"),
        ({"train.epochs": [0, 1]}, "at least 1"),
        ({"train.seed": [1, 1]}, "has a value twice"),
        ({"train.seed": []}, "the list is empty"),
        ({"train.seed": list(range(2000))}, "2,000 runs"),
        ({"name.first": ["a"]}, "not a section"),
    ],
)
def test_mistakes_are_found_before_anything_runs(tmp_path, axes, said):
    with pytest.raises(EdgeTernaryError, match=said):
        plan(RECIPE, axes_of(axes), tmp_path)


def fake_card(run, accuracy: float, samples: int = 100) -> None:
    card = {"recipe": run.table, "test_accuracy": accuracy, "validation_accuracy": accuracy, "seconds": 1.0}
    run.folder.mkdir(parents=True)
    card |= {"float_accuracy": None, "zero_weights": 1, "weights": 4, "test_samples": samples}
    (run.folder / "stripes.json").write_text(json.dumps(card))


def test_the_table_has_means_and_spreads(tmp_path):
    axes = {"model.activations": ["bipolar", 2], "train.batch": [50, 100], "train.seed": [0, 1, 2]}
    runs = plan(RECIPE, axes, tmp_path)
    for i, run in enumerate(runs[:9]):
        fake_card(run, 0.90 + 0.01 * (i % 3) + 0.03 * (i // 3))
    first = rows_of(runs)[0]
    assert (first["accuracy"], first["spread"]) == (pytest.approx(0.91), pytest.approx(0.01))
    assert (first["least"], first["most"], first["runs"]) == (0.9, 0.92, 3)
    text = markdown("stripes", runs)
    assert "| bipolar | 91.00 ± 1.00 | 94.00 ± 1.00 |" in text and "| 2 | 97.00 ± 1.00 |  |" in text


def test_folds_are_one_figure_with_its_interval(tmp_path):
    """8,936 of 10,000 right: (0.8874, 0.8995) by Wilson's formula."""
    axes = {"data.fold": [0, 1], "train.seed": [0, 1]}
    recipe = from_table({**to_table(RECIPE), "data": {"name": "sounds", "folder": str(tmp_path)}}, "here")
    runs = plan(recipe, axes, tmp_path)
    for run, accuracy, samples in zip(runs, (0.88, 0.90, 0.89, 0.91), (6400, 6400, 3600, 3600), strict=True):
        fake_card(run, accuracy, samples)
    found = cross_validated(runs)
    assert found and (found["folds"], found["samples"]) == (2, 10_000)
    assert found["accuracy"] == pytest.approx(0.8936) and found["spread"] == pytest.approx(0.01 / 2**0.5)
    assert (found["low"], found["high"]) == (
        pytest.approx(0.88741, abs=1e-5),
        pytest.approx(0.89949, abs=1e-5),
    )
    said = "2 folds: 89.36 ± 0.71 % of 10,000 samples; 95 % interval 88.7 to 89.9 %."
    assert markdown("stripes", runs).endswith(said + "\n")
    assert cross_validated(plan(RECIPE, {"train.batch": [50, 100]}, tmp_path)) is None


def test_a_card_of_another_recipe_does_not_count(tmp_path):
    (run,) = plan(RECIPE, {"train.seed": [0]}, tmp_path)
    fake_card(run, 0.9)
    assert run.card() is not None
    (other,) = plan(RECIPE, {"train.seed": [0], "train.epochs": [9]}, tmp_path)
    assert other.folder == run.folder and other.card() is None


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A recipe file in the working directory; tests can be imported by other processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "r.toml").write_text(TOML + SWEEP)
    return "r.toml"


def test_the_command_trains_and_goes_on_after_ctrl_c(recipe, tmp_path, capsys):
    assert command_line(["train", recipe, "--epochs", "2", "--threads", "1"]) == 0
    said = capsys.readouterr()
    assert "of 100 test samples" in said.out and "epoch 2, loss" in said.err
    assert (tmp_path / "stripes.et").exists() and not (tmp_path / "stripes.ckpt").exists()
    assert command_line(["train", "stripes.json", "-o", "again", "--threads", "1"]) == 0
    assert (tmp_path / "again/stripes.et").read_bytes() == (tmp_path / "stripes.et").read_bytes()


def test_the_command_measures_step_time(recipe, capsys):
    assert command_line(["train", recipe, "--time", "--json", "--threads", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["quantised_ms"] / found["float_ms"] == pytest.approx(found["ratio"]) and found["steps"] == 30


def test_mistakes_have_exit_code_2(recipe, tmp_path, capsys):
    (tmp_path / "plain.toml").write_text(TOML)
    assert command_line(["train", "plain.toml", "--sweep"]) == 2
    assert command_line(["train", recipe, "--seeds", "0,x"]) == 2
    (tmp_path / "bad.toml").write_text(TOML.replace("lr =", "lrr ="))
    assert command_line(["train", "bad.toml"]) == 2
    assert "did you mean 'lr'" in capsys.readouterr().err


def test_a_sweep_trains_in_processes_skips_what_is_done_and_reports_failures(recipe, tmp_path, capsys):
    folder = tmp_path / "stripes.sweep"
    runs = plan(find_recipe(recipe).with_epochs(1), {"train.seed": [0, 1, 2]}, folder)
    fake_card(runs[0], 0.75)
    (folder / "seed=2").mkdir()
    (folder / "seed=2/stripes.ckpt").write_bytes(b"damaged")
    before = (folder / "seed=0/stripes.json").stat().st_mtime_ns
    arguments = ["--seeds", "0,1,2", "--jobs", "2", "--epochs", "1", "--threads", "1"]
    assert command_line(["train", recipe, *arguments]) == 1
    said = capsys.readouterr().err
    assert "1 of 3 runs failed" in said and "seed=2/stripes.ckpt is not a checkpoint" in said
    assert (folder / "seed=0/stripes.json").stat().st_mtime_ns == before
    assert (folder / "seed=1/stripes.et").exists()
    (row,) = json.loads((tmp_path / "stripes.sweep.json").read_text())["rows"]
    assert row["runs"] == 2 and row["spread"] is not None
    assert "of 2 runs" in (tmp_path / "stripes.sweep.md").read_text()
