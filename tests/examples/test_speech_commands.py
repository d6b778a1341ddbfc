"""The keyword example: its teacher is MLPerf Tiny's float model, and its recipe can be read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.frontends.test_mlperf_tiny import file

pytestmark = pytest.mark.torch
FOLDER = Path(__file__).resolve().parents[2] / "examples" / "speech_commands"


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch")
    pytest.importorskip("tflite")
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    monkeypatch.setenv("EDGETERNARY_MLPERF_TINY", str(file("kws", "float").parent))
    import official

    return official


def test_the_teacher_gives_the_classes_of_the_file(official) -> None:
    """LiteRT multiplies with 8-bit activations there, so that shares differ a little."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    import torch

    x = np.random.default_rng(0).normal([-30, *[0] * 9], 12, (40, 49, 10)).clip(-128, 127).astype(np.float32)
    model = interpreter.Interpreter(str(file("kws", "float")))
    model.allocate_tensors()
    (read,), (given,) = model.get_input_details(), model.get_output_details()
    wanted = []
    for clip in x:
        model.set_tensor(read["index"], clip[None, :, :, None])
        model.invoke()
        wanted.append(np.roll(model.get_tensor(given["index"])[0], 2))
    found = official.teacher()(torch.from_numpy(x)[:, None]).softmax(1).detach().numpy()
    assert np.abs(found - np.array(wanted)).mean() < 0.02
    assert (found.argmax(1) == np.argmax(wanted, 1)).mean() > 0.9 and len(set(found.argmax(1))) > 2


def test_the_recipe_starts_from_its_weights(official, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from edgeternary.train import find_recipe

    monkeypatch.chdir(FOLDER)
    recipe = find_recipe("keywords-human.toml")
    model = recipe.model()
    (first, _), *_, (last, _) = official.weights()
    scaled = first / first.abs().amax((1, 2, 3), keepdim=True)
    np.testing.assert_array_equal(model.conv.weight.detach(), scaled)
    assert model.fc.weight.abs().max() == 1 and recipe.teacher is not None
    assert torch.equal(model.fc.weight.detach().roll(-2, 0).sign(), last.sign())
