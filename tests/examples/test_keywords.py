"""The commands of examples/keyword_stream, short, and what ships there."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from tests.examples import script
from tests.examples.script import ROOT
from tests.need import need

pytestmark = pytest.mark.torch
FOLDER = ROOT / "examples" / "keyword_stream"
MODEL = FOLDER / "keyword-stream.et"
COUNTS = {"train": 2, "validation": 1, "test": 2}  # clips of each class


def command(name: str, *args: object, code: int = 0, before: str = "", **env: object) -> str:
    """stdout, or stderr of a command that must fail."""
    done = script.command(FOLDER / name, *args, before=before, **env)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of random frames, each class with a pattern of its own."""
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("clips") / "clips.npz"
    arrays = {}
    for part, each in COUNTS.items():
        y = np.tile(np.arange(14), each).astype(np.uint8)
        x = rng.integers(0, 40, (len(y), 98, 10))
        shape = np.random.default_rng(1).integers(0, 200, (14, 20, 10))
        x[:, 40:60] += shape[y]
        span = np.tile(np.array([[40, 60]], np.uint8), (len(y), 1)) * (y != 12)[:, None].astype(np.uint8)
        arrays |= {f"x_{part}": x.astype(np.uint8), f"y_{part}": y, f"span_{part}": span}
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of noise with tones in it, 16 kHz."""
    time = np.arange(32_000) / 16_000
    rng = np.random.default_rng(0)
    samples = 2000 * np.sin(2 * np.pi * (300 + 900 * time) * time) * (time > 1) + rng.normal(0, 40, 32_000)
    return write_wav(tmp_path_factory.mktemp("sound") / "tones.wav", samples)


def write_wav(path: Path, samples: np.ndarray, rate: int = 16_000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        kind = {1: np.uint8, 2: "<i2"}[width]
        file.writeframes(samples.astype(kind).tobytes())
    return path


def test_a_short_training_is_exact_and_leaves_graph_codes_and_card(clips: Path, tmp_path: Path) -> None:
    options = ("--epochs", 1, "--channels", 8, "--batch", 14, "--output", tmp_path)
    assert "written to" in command("train.py", *options, EDGETERNARY_KEYPAD=clips)
    card = json.loads((tmp_path / "keyword-stream.json").read_text())
    assert card["mismatches_torch"] == 0 and card["test_samples"] == 28
    assert card["held_out_speakers"]["test"]
    options = ("--model", tmp_path / "keyword-stream.et", "--no-human", "--every", 49)
    found = json.loads(command("evaluate.py", *options, EDGETERNARY_KEYPAD=clips))
    assert found["exact"] == {"windows": 56, "mismatches": 0}
    assert sum(map(sum, found["confusion"].values())) == 28 and "accuracy" not in found["windows"]


def test_a_step_that_is_not_the_window_network_is_seen(clips: Path, tmp_path: Path) -> None:
    """The same codes beside a graph with one weight changed."""
    import msgspec

    from edgeternary.ops import Dense

    graph = edgeternary.load(MODEL)
    ops = list(graph.ops)
    place = next(k for k, op in enumerate(ops) if op.name == "output")
    assert isinstance(ops[place], Dense)
    bias = ops[place].bias + np.eye(len(ops[place].bias), dtype=np.int32)[3]
    ops[place] = msgspec.structs.replace(ops[place], bias=bias)
    edgeternary.save(graph.with_ops(ops), tmp_path / "wrong.et")
    (tmp_path / "wrong.safetensors").write_bytes(MODEL.with_suffix(".safetensors").read_bytes())
    options = ("--model", tmp_path / "wrong.et", "--no-human", "--samples", 10, "--every", 98)
    error = command("evaluate.py", *options, code=4, EDGETERNARY_KEYPAD=clips)
    assert "differ on 10 of 10 windows" in error


@pytest.mark.emulator
def test_a_frame_costs_a_fifth_of_a_window_and_the_image_is_small() -> None:
    need("zig", "unicorn", "capstone")
    found = json.loads(command("cycles.py"))
    assert found["ratio"] <= 1 / 5
    sections = found["image"]["sections"]
    assert found["image"]["image_bytes"] <= 64 * 1024
    assert sections[".bss"] + sections.get(".data", 0) + sections[".stack"] <= 20 * 1024


@pytest.mark.emulator
def test_live_is_the_same_everywhere(sound: Path) -> None:
    need("zig", "unicorn", "capstone", "pymicro-features")
    options = (sound, "--threshold", 1, "--json")
    expected = command("live.py", *options)
    assert [json.loads(line)["seconds"] for line in expected.splitlines()]
    assert expected == command("live.py", *options, "--on", "cortex-m4")


@pytest.mark.system
def test_live_on_an_emulated_board(sound: Path) -> None:
    need("qemu-system-arm", "zig|arm-none-eabi-gcc", "pymicro-features")
    options = (sound, "--threshold", 1)
    assert command("live.py", *options, "--emulate", "netduinoplus2") == command("live.py", *options)


def test_sounds_and_models_that_cannot_be_used(sound: Path, tmp_path: Path) -> None:
    need("pymicro-features")
    noise = np.random.default_rng(0).normal(0, 99, 8000)
    stereo = write_wav(tmp_path / "stereo.wav", noise, channels=2)
    fast = write_wav(tmp_path / "fast.wav", noise, rate=44_100)
    bytes_ = write_wav(tmp_path / "bytes.wav", noise % 256, width=1)
    empty = write_wav(tmp_path / "empty.wav", noise[:0])
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    for path, why in (
        (stereo, "2 channels"), (fast, "44,100 Hz"), (bytes_, "8 bits"), (empty, "no samples"),
        (text, "cannot be read"), (tmp_path / "none.wav", "cannot be read"),
    ):  # fmt: skip
        error = command("live.py", path, code=1)
        assert why in error and "ffmpeg" in error
    spiking = ROOT / "examples" / "spiking_fashion" / "spiking-mnist.et"
    assert "cannot listen" in command("live.py", sound, "--model", spiking, code=1)
    assert "cannot run step by step" in command("live.py", sound, "--on", "verilator", code=2)
    assert "exclude each other" in command("live.py", sound, "--port", "x", "--emulate", "y", code=2)


def test_a_telephones_sound_is_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    from sound import read_wav

    time = np.arange(8192) / 8000
    path = write_wav(tmp_path / "phone.wav", 9000 * np.sin(2 * np.pi * 625 * time), rate=8000)
    expected = 9000 * np.sin(2 * np.pi * 625 * np.arange(16_384) / 16_000)
    assert np.abs(read_wav(path) - expected).max() < 3


def test_missing_packages_say_how_to_get_them(sound: Path) -> None:
    hidden = "import sys; sys.modules['pymicro_features'] = None"
    error = command("live.py", sound, before=hidden, code=3)
    assert "pymicro_features is missing" in error and "pip install" in error
    none = "from edgeternary.toolchains import CATALOG, ToolSpec; CATALOG['asterisk-sounds'] = ToolSpec("
    none += "'asterisk-sounds', 'apt install asterisk-core-sounds-en-wav', 'x', files=('/nowhere',))"
    error = command("human.py", before=none + "; from human import recording; recording('a')", code=1)
    assert "apt install asterisk-core-sounds-en-wav" in error


def test_recordings_of_a_human() -> None:
    need("asterisk-sounds", "pymicro-features")
    text = f"import json, sys, edgeternary, evaluate; graph = edgeternary.load({str(MODEL)!r}); "
    text += "print(json.dumps(evaluate.humans(graph, 60))); sys.exit()"
    found = json.loads(command("evaluate.py", before=text))
    assert found["keywords"] == 12 and found["others"] == 87
    assert found["found"] == json.loads((ROOT / "docs" / "streaming.json").read_text())["human"]["found"]


def test_synthetic_clips_are_reproducible(monkeypatch: pytest.MonkeyPatch) -> None:
    need("espeak-ng", "pymicro-features")
    monkeypatch.syspath_prepend(str(FOLDER))
    import keypad

    first, again = keypad.draw("test", 5), keypad.draw("test", 5)
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1:] == again[1:] and first[1] == 5 and 0 < first[2][0] < first[2][1] < 98


def test_detections_are_smoothed_and_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    from detector import GAP, SMOOTH, WARM, detections

    logits = np.zeros((400, 3), np.int64)
    logits[:, 2] = 10  # silence
    logits[100:140, 0] = 200
    logits[150:190, 1] = 200
    logits[200:205, 0] = 200  # too short to matter
    logits[10:38, 1] = 900  # while it warms up
    found = detections(logits, 2, 60)
    assert [word for _, word, _ in found] == [0, 1]
    assert 100 < found[0][0] <= 100 + SMOOTH and found[1][0] - found[0][0] >= GAP and found[0][0] >= WARM
    assert detections(logits, 2, 300) == []


def test_the_step_in_hardware() -> None:
    """Shift registers and the sum over frames in Amaranth's simulator."""
    need("amaranth")
    from edgeternary.hdl.folding import fold
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.hdl.top import build

    graph = edgeternary.load(MODEL)
    frames = np.random.default_rng(2).integers(0, 256, (2, 5, 10))
    done = simulate(build(graph, fold(graph)), frames)
    np.testing.assert_array_equal(done.outputs, graph.run(frames).outputs)
