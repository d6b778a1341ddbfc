"""The commands of examples/matmulfree_lm, made short."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.need import need

pytestmark = [pytest.mark.torch, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "matmulfree_lm"


def command(name: str, *arguments: str | Path) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "hw")))}
    done = subprocess.run(
        [sys.executable, FOLDER / name, *arguments], env=env, capture_output=True, text=True, timeout=500
    )
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
