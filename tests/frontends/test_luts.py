"""Table networks of drawn sizes: torch and graph give the same bits in every layer."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402

pytestmark = pytest.mark.torch


def flat(rng: np.random.Generator) -> tuple[torch.nn.Module, tuple[int, ...]]:
    inputs, classes = int(rng.integers(2, 40)), int(rng.integers(2, 6))
    sizes = [int(n) for n in rng.integers(1, 8, classes)]
    thresholds = sorted({int(t) for t in rng.integers(0, 258, rng.integers(1, 5))})  # some are out of reach
    middle, fan_in = int(rng.integers(1, 50)), [int(n) for n in rng.integers(2, 7, 2)]
    layers = [
        q.Comparisons(inputs, thresholds),
        q.LutLayer(inputs * len(thresholds), middle, fan_in[0]),
        q.LutLayer(middle, sum(sizes), fan_in[1]),
        q.GroupSum(sum(sizes), classes, sizes),
    ]
    with torch.no_grad():
        layers[-1].bias.copy_(torch.from_numpy(rng.normal(0, 9, classes)))
    return torch.nn.Sequential(*layers), (inputs,)


def mapped(rng: np.random.Generator) -> tuple[torch.nn.Module, tuple[int, ...]]:
    channels, outputs = int(rng.integers(1, 4)), int(rng.integers(1, 9))
    height, width, ky, kx, sy, sx = (int(n) for n in rng.integers([6, 6, 1, 1, 1, 1], [12, 12, 4, 4, 3, 3]))
    pad = tuple(int(n) for n in rng.integers(0, 2, 4))
    body = torch.nn.Sequential(
        q.Comparisons(channels, [40, 200]),
        q.LutConv2d(2 * channels, 4 * outputs, (ky, kx), (sy, sx), pad, int(rng.integers(2, 7))),
        q.LutConv2d(4 * outputs, outputs, 1, fan_in=4),
        q.MaxPool(2),
        q.Flatten(),
    )
    shape = channels, height, width
    count = body.eval()(torch.zeros(1, *shape)).shape[1]
    return torch.nn.Sequential(*body, q.LutLayer(count, 12, 5), q.GroupSum(12, 4)), shape


def crops(rng: np.random.Generator) -> tuple[torch.nn.Module, tuple[int, ...]]:
    """The same tables at nine places of the picture, whose bits are counted together."""
    layers = q.Comparisons(1, [100]), q.LutConv2d(1, 8, 5, fan_in=3), q.Flatten(), q.GroupSum(72, 4)
    return torch.nn.Sequential(*layers), (1, 7, 7)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("draw", [flat, mapped, crops])
def test_torch_and_graph_agree(draw: object, seed: int) -> None:
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model, shape = draw(rng)  # type: ignore[operator]
    graph = lower(model.eval(), torch.zeros(1, *shape))
    x = rng.integers(0, 256, (40, *graph.input.shape)).astype(np.int32)
    found = run(graph, x, on="torch", taps=True, options={"torch_model": model})
    wanted = run(graph, x, taps=True)
    np.testing.assert_array_equal(found.outputs, wanted.outputs)
    assert len(found.taps) > 1
    for name, value in found.taps.items():
        np.testing.assert_array_equal(value, wanted.taps[name], name)


def test_refusals() -> None:
    raw = torch.nn.Sequential(q.LutLayer(4, 3), q.GroupSum(3, 3)).eval()
    with pytest.raises(EdgeTernaryError, match="compare or a threshold"):
        lower(raw, torch.zeros(1, 4))
