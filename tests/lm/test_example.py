"""The commands of examples/matmulfree_lm, made short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.examples import script
from tests.examples.script import ROOT
from tests.need import need

pytestmark = [pytest.mark.torch, pytest.mark.slow]
FOLDER = ROOT / "examples" / "matmulfree_lm"


def command(name: str, *arguments: str | Path) -> str:
    done = script.command(FOLDER / name, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def text() -> None:
    need("bible")


@pytest.mark.usefixtures("text")
def test_train_then_verify(tmp_path: Path) -> None:
    model = tmp_path / "short.et"
    shown = command("train.py", "-o", model, "--characters", "40960", "--measure", "2000")
    card = json.loads(shown)
    assert card["bits_per_character"] < 4.5 and model.is_file()
    assert "400 characters, 0 of them" in command("verify.py", model, "--characters", "400", "--on", "numpy")


@pytest.mark.usefixtures("text")
def test_a_float_reference_is_only_measured(tmp_path: Path) -> None:
    shown = command(
        "train.py",
        "-o",
        tmp_path / "float.et",
        "--weights",
        "float",
        "--characters",
        "20480",
        "--measure",
        "2000",
    )
    assert json.loads(shown)["recipe"]["weights"] == "float" and not list(tmp_path.iterdir())


def test_memory() -> None:
    shown = command("memory.py", FOLDER / "kjv.et")
    assert "7.28" in shown and "the whole model" in shown
