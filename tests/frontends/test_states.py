"""Spiking nets as graphs with states: every logit of every step equals torch's; compiled code equals it."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.frontends.torch import lower  # noqa: E402
from edgeternary.run import run  # noqa: E402
from tests.need import need  # noqa: E402

pytestmark = pytest.mark.torch


def dense_net(**options) -> torch.nn.Sequential:
    return torch.nn.Sequential(
        q.Linear(20, 17), q.LIF(17, **options), q.Linear(17, 9), q.IF(9), q.Linear(9, 4), q.Readout(4)
    )


def conv_net() -> torch.nn.Sequential:
    return torch.nn.Sequential(
        q.Conv2d(1, 5, 3, pad=1),
        q.LIF(5, start=0.5),
        q.MaxPool(2),
        torch.nn.Flatten(),
        q.Linear(45, 4),
        q.Readout(4),
    )


CASES = {
    "rate": (dense_net, (20,), {}),
    "latency": (lambda: dense_net(shift=1, fraction=5, start=0.9), (20,), {"coding": "latency"}),
    "direct": (lambda: dense_net(fraction=0), (20,), {"coding": "direct"}),
    "conv": (conv_net, (1, 6, 6), {}),
}


def trained(name: str) -> tuple[q.Spiking, torch.Tensor]:
    """A net whose statistics, thresholds and biases were moved by a few steps."""
    make, shape, options = CASES[name]
    model = q.Spiking(make(), 7, **options)
    x = torch.randint(0, 256, (40, *shape)).float()
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(4):
        loss = torch.nn.functional.cross_entropy(model(x)[:, -1], torch.arange(40) % 4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval(), x


def codes(model: q.Spiking, x: torch.Tensor) -> np.ndarray:
    events = model.encode(x).numpy().astype(np.int32)
    return np.moveaxis(events, 2, -1) if events.ndim == 5 else events


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_step_is_exact(name):
    model, x = trained(name)
    graph = lower(model, x, name="net")
    inputs = codes(model, x)
    with torch.no_grad():
        logits = model(x).numpy()
    found = run(graph, inputs, taps=True)
    scaled = found.outputs.astype(np.float32) * np.float32(graph.meta.logit_scale)
    np.testing.assert_array_equal(scaled, logits)
    assert graph.input.type.name == ("uint8" if name == "direct" else "binary")
    assert all(found.taps[op.name].any() for op in graph.ops if op.kind == "threshold")
    answer = run(graph, inputs, on="torch", taps=True, options={"torch_model": model, "batch": 13})
    compared = [tap for tap in answer.taps if tap in found.taps]
    assert len(compared) >= 3
    for tap in compared:
        np.testing.assert_array_equal(answer.taps[tap], found.taps[tap], err_msg=tap)


@pytest.mark.emulator
@pytest.mark.parametrize("name", ["conv", "latency"])
def test_compiled_steps_are_exact(name):
    need("zig", "unicorn", "capstone")
    model, x = trained(name)
    graph, inputs = lower(model, x, name="net"), codes(model, x)[:5]
    expected = run(graph, inputs).outputs
    for executor in ("host", "cortex-m4"):
        np.testing.assert_array_equal(run(graph, inputs, on=executor).outputs, expected)


def test_longer_samples_than_trained_for():
    """The graph has no number of steps: 40 of them equal torch's."""
    model, x = trained("rate")
    graph = lower(model, x)
    events = (torch.rand(3, 40, 20) < 0.4).float()
    with torch.no_grad():
        logits = model.over(events).numpy()
    found = run(graph, events.numpy()).outputs.astype(np.float32) * np.float32(graph.meta.logit_scale)
    np.testing.assert_array_equal(found, logits)


def test_a_wrong_decay_is_caught():
    model, x = trained("rate")
    graph = lower(model, x)
    model.net[1].shift = 3
    with pytest.raises(AssertionError):
        answer = run(graph, codes(model, x), on="torch", options={"torch_model": model})
        np.testing.assert_array_equal(answer.outputs, run(graph, codes(model, x)).outputs)


def test_what_cannot_be_is_refused():
    model, x = trained("rate")
    graph = lower(model, x)
    with pytest.raises(EdgeTernaryError, match="one step, its graph has states"):
        run(graph, codes(model, x), on="torch", options={"torch_model": model.net})
    model.net[1].running_var += 1e9
    with pytest.raises(EdgeTernaryError, match=r"layer '1'.*fewer fraction bits"):
        lower(model, x)
