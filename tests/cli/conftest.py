"""What the tests of the command line share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary import cli
from edgeternary.ir.file import save
from edgeternary.report.tiny import tiny_graph


@dataclass(frozen=True)
class Answer:
    """Exit code and both streams of one call."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def et(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call the command line in this process: et("inspect", path)."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = cli.call([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model as a file."""
    path = tmp_path / "tiny.et"
    save(tiny_graph(), path)
    return path


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Five images for it."""
    path = tmp_path / "x.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (5, 6, 6, 1), dtype=np.uint8))
    return path
