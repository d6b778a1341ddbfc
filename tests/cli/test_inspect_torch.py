"""edgeternary inspect model.py:Net: what a torch model becomes, from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeternary.cli._app import app

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

FILE = """
from torch import nn
class Good(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))
class Bad(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(8, 4, batch_first=True)
    def forward(self, x):
        return self.gru(x[:, 0])[0][:, -1]
def broken():
    raise ValueError("no weights here")
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "own_nets.py").write_text(FILE)
    return str(tmp_path / "own_nets.py")


def invoked(*words: str):
    return CliRunner().invoke(app, ["inspect", *words])


def test_a_model_that_converts(model: str) -> None:
    done = invoked(f"{model}:Good", "--shape", "1x8x8", "--activations", "4", "--json")
    assert done.exit_code == 0
    assert [row["became"] for row in json.loads(done.output)["layers"]][:2] == [
        "Conv2d(ternary)", "BatchNorm, Activation(uint4)",
    ]  # fmt: skip


def test_a_model_that_does_not(model: str) -> None:
    done = invoked(f"{model}:Bad", "--shape", "1x8x8")
    assert done.exit_code == 1
    assert "refused: own_nets.py:11: layer 'gru' (GRU) cannot be converted" in done.output
    assert "instead:" in done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((":Good",), 2, "--shape"),
        ((":Good", "--shape", "1xtwo"), 2, "is no shape"),
        ((":Missing", "--shape", "1x8x8"), 1, "models there: Good, Bad"),
        ((":broken", "--shape", "1x8x8"), 1, "no weights here"),
    ],
)
def test_what_is_wrong_is_said(words: tuple[str, ...], code: int, said: str, model: str) -> None:
    done = invoked(model + words[0], *words[1:])
    assert done.exit_code == code and said in (done.output + str(done.exception or ""))
