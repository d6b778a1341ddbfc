"""Bounds of Requantize layers are raised to what the weights make of them, and saved with these."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import edgeternary  # noqa: E402
from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402

pytestmark = pytest.mark.torch


def wide() -> torch.nn.Module:
    """8-bit weights and activations over 144 inputs: accumulators up to 127 * 255 * 144."""
    return torch.nn.Sequential(
        OrderedDict(
            fc1=q.Linear(144, 6, weights=8),
            act1=q.Requantize(6, 8),
            fc2=q.Linear(6, 5, weights=8),
            act2=q.Requantize(5, 8),
            fc3=q.Output(5, 3, weights=8),
        )
    )


def test_bounds_are_raised_and_survive_saving(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, example = wide(), torch.zeros(1, 144)
    with pytest.raises(EdgeTernaryError, match=r"'act1'.*more than its bound.*fit_bounds"):
        edgeternary.lower(model, example)
    assert edgeternary.fit_bounds(model, example) == {"act1": 1 << 21}
    assert edgeternary.fit_bounds(model, example) == {}
    graph = edgeternary.lower(model, example)
    codes = np.random.default_rng(0).integers(0, 256, (200, 144))
    codes[:2] = [[0], [255]]
    x = torch.from_numpy(codes).float()
    q.save_codes(model, tmp_path / "wide.safetensors")
    again = q.load_codes(wide(), tmp_path / "wide.safetensors")
    for module in (model.eval(), again):
        logits = module(x).detach().numpy()
        outputs = graph.run(codes.astype(np.uint8)).outputs
        np.testing.assert_array_equal(outputs.astype(np.float32) * np.float32(graph.meta.logit_scale), logits)
