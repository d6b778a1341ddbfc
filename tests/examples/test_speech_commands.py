"""The keyword example: its teacher is MLPerf Tiny's float model, and its recipe can be read."""

from __future__ import annotations

import json
import sys
import wave
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


@pytest.fixture
def voices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve classes of five speakers, a second of noise each; silence has no speakers."""
    rng = np.random.default_rng(0)
    for label in ("_silence_", "_unknown_", *"abcdefghij"):
        (tmp_path / label).mkdir()
        for speaker in range(5):
            name = f"hum{speaker}.wav" if label == "_silence_" else f"{speaker:08x}_nohash_0.wav"
            with wave.open(str(tmp_path / label / name), "wb") as sound:
                sound.setparams((1, 2, 16_000, 0, "NONE", ""))
                sound.writeframes(rng.normal(0, 3000, 16_000).astype("<i2").tobytes())
    monkeypatch.setenv("EDGETERNARY_SOUNDS", str(tmp_path))
    return tmp_path


def test_a_stream_of_samples_gives_the_window_networks_numbers(
    official, voices: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    import edgeternary
    from edgeternary.errors import EdgeTernaryError
    from edgeternary.features import Sound, with_sound

    monkeypatch.setattr(sys, "path", [*sys.path, str(FOLDER.parent / "keyword_stream")])
    import listen
    import stream

    x = torch.randint(0, 200, (8, 40, 49), generator=torch.Generator().manual_seed(0)).float()
    assert stream.teacher()(x).shape == (8, 12)
    model = stream.spotter(channels=8, kernels=(9, 9))
    model.train()(x)
    graph = edgeternary.lower(model.eval(), x[:1], name="small")
    path = voices.parent / "small.et"
    edgeternary.save(with_sound(graph, Sound(bands=40, low=20, high=4000)), path)
    monkeypatch.setattr(sys, "argv", ["listen.py", str(path), "--core", ""])
    assert listen.main() == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exact"] == {"windows": 200, "mismatches": 0}
    (row,) = found["streams"]
    assert row["keywords"] + row["others"] == 10 and row["minutes"] == 0.3
    graph = edgeternary.load(path)
    graph.meta.info["data"] = "speech: 60 sounds (fold 1 of 5 by speaker)"
    edgeternary.save(graph, path)
    with pytest.raises(EdgeTernaryError, match="not of fold 0"):
        listen.main()
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--fold", "1"])
    assert listen.main() == 0
    right = listen.codes
    monkeypatch.setattr(listen, "codes", lambda front, clips: np.roll(right(front, clips), 1, 2))
    with pytest.raises(EdgeTernaryError, match="not exact"):
        listen.main()


def test_detections_are_counted_by_their_clip(official, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two keywords and an unknown word: one found, one taken for another, one made up."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(FOLDER.parent / "keyword_stream")])
    import listen

    hop = 320
    each = (listen.PAUSE + listen.CLIP) // hop
    logits = np.zeros((1, 3 * each + 60, 12), np.int32)
    for number, said in enumerate((4, 5, 7)):
        at = number * each + 60
        logits[0, at : at + 15, said] = 500
    row = listen.counted(logits, np.array([[0, 1, 2]]), np.array([4, 6, 1]), hop, 60, 10)
    assert (row["keywords"], row["found"], row["missed"], row["taken_for_others"]) == (2, 1, 0, 1)
    assert (row["others"], row["made_up"]) == (1, 1)
