"""The examples run as they stand, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.need import need

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def example(name: str, folder: Path) -> str:
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "hw")))
    command = [sys.executable, EXAMPLES / name]
    env = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_by_hand(tmp_path: Path) -> None:
    out = example("by_hand.py", tmp_path)
    assert "outputs [[-1, -1, 1], [1, -1, -1], [-1, 1, -1]]" in out
    assert (tmp_path / "by_hand.et").is_file()


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.emulator
def test_train_and_compile(tmp_path: Path) -> None:
    need("torch", "zig", "unicorn", "capstone")
    assert "wrote toy.c, toy.et, toy.h" in example("train_and_compile.py", tmp_path)
    assert (tmp_path / "toy-cortex-m4" / "toy.c").is_file()


def test_every_example_is_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.rglob("*"):
        if path.is_file() and path.suffix in (".py", ".yml"):
            assert path.relative_to(EXAMPLES).as_posix() in listed
