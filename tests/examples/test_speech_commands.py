"""The keyword example: its teacher, its recipe, and the network that hears frame by frame."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.examples import script
from tests.frontends.test_mlperf_tiny import file
from tests.need import need

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
    import listen
    import stream
    import torch

    import edgeternary
    from edgeternary.errors import EdgeTernaryError
    from edgeternary.features import Sound, with_sound

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


def test_detections_are_smoothed_and_spaced(official) -> None:
    from detector import GAP, SMOOTH, WARM, detections

    logits = np.zeros((400, 4), np.int64)
    logits[:, 0] = 10  # silence
    logits[100:140, 2] = 200
    logits[150:190, 3] = 200
    logits[200:203, 2] = 200  # too short to matter
    logits[10:20, 3] = 900  # while the window begins before the sound
    found = detections(logits, 2, 60)
    assert [word for _, word, _ in found] == [2, 3]
    assert 100 < found[0][0] <= 100 + SMOOTH and found[1][0] - found[0][0] >= GAP and found[0][0] >= WARM
    assert detections(logits, 2, 300) == []


def command(*args: object, code: int = 0) -> str:
    """What live.py prints, or its error."""
    done = script.command(FOLDER / "live.py", *args)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """Two words of a synthetic voice, at its rate of 22,050 Hz."""
    need("espeak-ng")
    path = tmp_path / "words.wav"
    subprocess.run(["espeak-ng", "-w", path, "-g", "50", "stop yes"], check=True)
    return path


def test_words_are_detected(words: Path) -> None:
    found = command(words, "--threshold", 1, "--json")
    assert [json.loads(line)["seconds"] for line in found.splitlines()]


@pytest.mark.system
def test_live_is_the_same_on_an_emulated_board(words: Path, tmp_path: Path) -> None:
    """It compares each frame with numpy's, and says so."""
    need("qemu-system-arm", "zig|arm-none-eabi-gcc")
    short = tmp_path / "short.wav"
    with wave.open(str(words)) as sound, wave.open(str(short), "wb") as cut:
        cut.setparams(sound.getparams())
        cut.writeframes(sound.readframes(8_000))
    done = script.command(FOLDER / "live.py", short, "--emulate", "netduinoplus2")
    assert done.returncode == 0 and "18 frames, every answer is numpy's" in done.stderr, done.stderr


@pytest.mark.emulator
def test_a_frame_of_the_step_that_is_written_takes_a_tenth_of_a_core(tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone")
    import edgeternary

    command("--write", tmp_path / "step.et")
    graph = edgeternary.load(tmp_path / "step.et")
    x = np.random.default_rng(0).integers(-9000, 9000, (1, 3, *graph.input.shape))
    found = edgeternary.run.run(graph, x, on="cortex-m4")
    np.testing.assert_array_equal(found.outputs, edgeternary.run.run(graph, x).outputs)
    assert found.stats["cycles"] * 50 <= 80e6 / 10


def test_sounds_and_models_that_cannot_be_used(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    assert "cannot be read as WAV" in command(text, code=1)
    short = tmp_path / "short.wav"
    with wave.open(str(short), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 99))
    assert "99 samples, a frame has 320" in command(short, code=1)
    spiking = FOLDER.parent / "spiking_fashion" / "spiking-mnist.et"
    assert "cannot listen" in command(short, "--model", spiking, code=1)
    assert "exclude each other" in command(short, "--port", "x", "--emulate", "y", code=2)


@pytest.mark.slow
def test_the_step_in_hardware() -> None:
    """Shift registers and the sum over frames in Amaranth's simulator."""
    need("amaranth")
    import edgeternary
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build
    from edgeternary.passes.stream import stream

    graph = stream(edgeternary.load(FOLDER / "keywords-stream.et"))
    frames = np.random.default_rng(2).integers(0, 256, (1, 2, *graph.input.shape))
    done = simulate(build(graph, fold(graph)), frames)
    np.testing.assert_array_equal(done.outputs, graph.run(frames).outputs)
