"""nn.Streaming: trained on windows, lowered to a step, the same integers as PyTorch on every window."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.run import run
from tests.need import need

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from edgeternary import lower, nn  # noqa: E402

WINDOW = 20


def spotter(activations: int | str, seed: int = 0) -> nn.Streaming:
    """A small network over time with batch-norm statistics as of a training."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        nn.Conv1d(5, 12, 4),
        *nn.blocks.norm_act(12, activations).values(),
        nn.TemporalBlock(12, 16, 5, activations=activations),
        nn.TemporalBlock(16, 8, 6, activations=activations),
        nn.SumPool() if activations == 8 else nn.GlobalAvgPool(nn.Activation(4)),
        *([nn.Requantize(8, 8)] if activations == 8 else []),
        nn.Flatten(),
        nn.Output(8, 3, codes=activations if activations == 8 else 4),
    )
    model = nn.Streaming(net, WINDOW)
    for _ in range(20):
        model(torch.randint(0, 256, (64, 5, WINDOW)).float())
    return model.eval()


@pytest.mark.parametrize("activations", [2, 4, 8, "ternary"])
def test_the_step_gives_pytorchs_logits_at_every_frame(activations: int | str) -> None:
    model = spotter(activations)
    frames = torch.randint(0, 256, (4, 5, 50)).float()
    step = lower(model, torch.zeros(1, 5, WINDOW), labels=("a", "b", "c"))
    found = run(step, frames.transpose(1, 2).numpy().astype(np.uint8)).outputs
    logits = model.over(frames).numpy()
    np.testing.assert_array_equal(found.astype(np.float32) * np.float32(step.meta.logit_scale), logits)
    assert len(np.unique(found)) > 10
    assert step.input.shape == (5,) and step.meta.labels == ("a", "b", "c")
    assert step.meta.info["window"] == str(WINDOW)


def test_the_window_network_is_the_net_alone() -> None:
    model = spotter(4)
    x = torch.randint(0, 256, (6, 5, WINDOW)).float()
    window, step = lower(model.net, x[:1]), lower(model, x[:1])
    whole = run(window, x.transpose(1, 2)[:, None].numpy().astype(np.uint8)).outputs
    last = run(step, x.transpose(1, 2).numpy().astype(np.uint8)).outputs[:, -1]
    np.testing.assert_array_equal(whole, last)


def test_a_step_costs_the_new_work_only() -> None:
    model = spotter(4)
    example = torch.zeros(1, 5, WINDOW)
    assert lower(model, example).macs() * 5 < lower(model.net, example).macs()


def test_wrong_frames_and_windows() -> None:
    model = spotter(4)
    with pytest.raises(EdgeTernaryError, match="windows of 20 frames"):
        model(torch.zeros(1, 5, WINDOW + 1))
    with pytest.raises(EdgeTernaryError, match="holds nothing"):
        nn.Streaming(model.net, 0)
    step = lower(model, torch.zeros(1, 5, WINDOW))
    with pytest.raises(EdgeTernaryError, match=r"\(samples, steps, 5\)|steps"):
        run(step, np.zeros((1, 5), np.uint8))
    with pytest.raises(EdgeTernaryError):
        run(step, np.zeros((1, 4, 6), np.uint8))


def test_padding_cannot_be_streamed() -> None:
    net = torch.nn.Sequential(
        nn.Conv1d(5, 4, 3, pad=1), nn.BatchNorm(4), nn.Activation(2), nn.Flatten(), nn.Output(80, 3)
    )
    with pytest.raises(EdgeTernaryError, match="layer '0' cannot run frame by frame"):
        lower(nn.Streaming(net.eval(), WINDOW), torch.zeros(1, 5, WINDOW))


@pytest.mark.system
def test_exported_as_onnx() -> None:
    need("onnxruntime")
    step = lower(spotter(4), torch.zeros(1, 5, WINDOW))
    frames = np.random.default_rng(0).integers(0, 256, (2, 30, 5)).astype(np.uint8)
    np.testing.assert_array_equal(run(step, frames, on="onnxruntime").outputs, run(step, frames).outputs)
