"""The commands of examples/spiking_fashion, short, and what ships there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.run import run
from tests.examples import script
from tests.examples.script import ROOT
from tests.need import need

pytestmark = pytest.mark.torch
FOLDER = ROOT / "examples" / "spiking_fashion"
DATA = """
import edgeternary, numpy as np
from edgeternary.toolchains import find
from edgeternary.train.data import DATASETS, Data
rng = np.random.default_rng(0)
y = rng.integers(0, 10, 600)
stripe = np.arange(28)[None, :, None, None] // 3 == y[:, None, None, None]
x = (np.where(rng.random((600, 28, 28, 1)) < 0.2, 90, 0) + 160 * stripe).astype(np.uint8)
parts = [(x[a:b], y[a:b]) for a, b in ((0, 400), (400, 500), (500, 600))]
# A teacher whose C is compiled in a second, not ten.
real = edgeternary.run.run
options = {"compiler": "gcc" if find("gcc").found else "auto", "opt_level": "0"}
edgeternary.run.run = lambda *args, **named: real(*args, **named, options=options)
DATASETS["fashion-mnist"] = lambda: Data("stripes", *parts, tuple("0123456789"))
"""


def command(name: str, *args: object, before: str = "") -> str:
    done = script.command(FOLDER / name, *args, before=before)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("coding", ["rate", "latency"])
def test_a_short_training_is_exact_and_leaves_graph_codes_and_card(coding: str, tmp_path: Path) -> None:
    options = ("--epochs", 6, "--hidden", 24, "--steps", 4, "--coding", coding, "--output", tmp_path)
    out = command("train.py", *options, before=DATA)
    assert "0 differ from PyTorch" in out
    card = json.loads((tmp_path / "spiking-fashion.json").read_text())
    assert card["mismatches_torch"] == 0 and card["test_samples"] == 100
    assert card["test_accuracy"] > 0.5
    assert (tmp_path / "spiking-fashion.safetensors").is_file()


@pytest.mark.emulator
def test_cycles_fall_with_activity(tmp_path: Path) -> None:
    """At 10 % of the inputs a step of a shipped net takes under 40 % of the cycles of full activity."""
    need("zig", "unicorn", "capstone")
    models = [
        path for path in sorted(FOLDER.glob("*.et")) if edgeternary.load(path).input.type.name == "binary"
    ]
    assert models
    for model in models:
        svg = tmp_path / "curve.svg"
        found = json.loads(
            command("activity.py", "--model", model, "--points", 2, "--steps", 2, "--svg", svg)
        )
        low, full = found["rows"]
        assert (low["density"], full["density"]) == (0.1, 1.0)
        assert low["cycles"] < 0.4 * full["cycles"]
        assert svg.read_text().startswith("<svg")


@pytest.mark.synth
def test_hardware_gives_the_spikes_of_test_images(tmp_path: Path) -> None:
    """An image, all its steps, in Amaranth's simulator, in the cycles that were predicted."""
    need("amaranth", "torch")
    from edgeternary.hdl.top import build

    for task in ("mnist", "fashion"):
        out = command("events.py", "--task", task, "--samples", 2, "--output", tmp_path / "events.npz")
        assert "2 samples" in out
        events = np.load(tmp_path / "events.npz")["inputs"][:1]
        graph = edgeternary.load(FOLDER / f"spiking-{task}.et")
        found = run(graph, events, on="hdl")
        np.testing.assert_array_equal(found.outputs, run(graph, events).outputs)
        assert found.stats["cycles"] == build(graph).cycles


@pytest.mark.parametrize("card", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_what_ships_is_what_the_card_says(card: Path) -> None:
    figures = json.loads(card.read_text())
    graph = edgeternary.load(card.with_suffix(".et"))
    assert figures["mismatches_torch"] == 0 and figures["test_samples"] == 10_000
    assert figures["test_accuracy"] >= {"spiking-fashion": 0.89, "spiking-mnist": 0.98}[card.stem]
    assert card.with_suffix(".et").stat().st_size < 500_000
    from edgeternary.ops.sizes import sizes

    assert sizes(graph)["packed_bytes"] == figures["packed_bytes"]


@pytest.mark.parametrize("card", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_shipped_nets_equal_their_torch_models_at_every_step(card: Path) -> None:
    """On images that ship with the package."""
    need("torch")
    sys.path.insert(0, str(FOLDER))
    try:
        from network import make_model
    finally:
        sys.path.remove(str(FOLDER))
    import torch

    from edgeternary import nn, zoo

    figures = json.loads(card.read_text())
    model = make_model(figures["hidden"], figures["steps"], figures["coding"])
    nn.load_codes(model, card.with_suffix(".safetensors"))
    samples, labels = zoo.images({"spiking-fashion": "fashion-mlp", "spiking-mnist": "mnist-mlp"}[card.stem])
    codes = torch.from_numpy(samples.reshape(len(samples), 784).astype(np.float32))[:200]
    with torch.no_grad():
        events, logits = model.eval().encode(codes).numpy(), model(codes).numpy()
    graph = edgeternary.load(card.with_suffix(".et"))
    outputs = run(graph, events).outputs
    np.testing.assert_array_equal(outputs.astype(np.float32) * np.float32(graph.meta.logit_scale), logits)
    assert np.mean(outputs[:, -1].argmax(1) == labels[:200]) > 0.8
