"""Audio features, the energy in bands of frequency over time, (N, 1, T, F): from a float model to C.

pip install ".[train,mcu]"      (in a checkout)
python examples/sensors/sound.py [--quick]
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor
from torch.nn import BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, functional

import edgeternary
from edgeternary import nn
from edgeternary.testing import assert_bit_exact

EPOCHS = 1 if "--quick" in sys.argv else 8
CLASSES = ("noise", "tone", "rising", "falling")
RATE, SIZE = 8000, 256


def sounds(samples: int = 1200) -> tuple[Tensor, Tensor]:
    """Made-up recordings of half a second in noise, (N, 4000), and their classes."""
    rng = np.random.default_rng(0)
    y, time = rng.integers(0, 4, samples), np.arange(RATE // 2) / RATE
    start, slope = rng.uniform(600, 2400, (samples, 1)), 1600 * ((y == 2) * 1.0 - (y == 3))[:, None]
    tone = np.sin(2 * np.pi * (start * time + slope * time**2 / 2)) * (y > 0)[:, None]
    return torch.tensor(tone + rng.normal(0, 0.5, tone.shape)).float(), torch.tensor(y)


def features(wave: Tensor) -> Tensor:
    """The logarithm of the energy in 16 bands at 16 times, (N, 1, 16, 16); the device computes the same."""
    spectrum = torch.stft(wave, SIZE, window=torch.hann_window(SIZE), return_complex=True)[:, :128, :32]
    energy = spectrum.abs().square().reshape(len(wave), 16, 8, 16, 2).mean((2, 4))
    return torch.log(energy + 1e-3).transpose(1, 2)[:, None]


def block(ins: int, outs: int) -> list[Module]:
    return [Conv2d(ins, outs, 3, padding=1), BatchNorm2d(outs), ReLU(), MaxPool2d(2)]


def fit(model: Module, x: Tensor, y: Tensor, rate: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    chunks = [c for _ in range(EPOCHS) for c in torch.randperm(len(x)).split(20)]
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(chunks))
    for chunk in chunks:
        loss = functional.cross_entropy(model(x[chunk]), y[chunk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()


torch.manual_seed(0)
wave, y = sounds()
(x, x_test), (y, y_test) = features(wave).split(1000), y.split(1000)
mean, std = x.mean(), x.std()
float_model = Sequential(*block(1, 8), *block(8, 16), Flatten(), Linear(256, 4))
fit(float_model, (x - mean) / std, y, 1e-3)

spec = nn.InputSpec.from_data(x, "int8", "NCHW", mean, std)  # one channel: one scale
model = nn.convert(float_model, spec.quantize(x), inputs=spec, activations=4).train()
fit(model, spec.quantize(x), y, 1e-2)

graph = edgeternary.lower(model, spec.quantize(x), name="sound", labels=CLASSES)
codes = edgeternary.quantize(
    graph, x_test.permute(0, 2, 3, 1).numpy()
)  # the integers of spec.quantize(x_test)
assert_bit_exact(graph, on=["host", "cortex-m4"], inputs=codes[:20])
print("float", (float_model((x_test - mean) / std).argmax(1) == y_test).float().mean().item())
print("graph", (graph.run(codes).outputs.argmax(1) == y_test.numpy()).mean())
print(edgeternary.compile(graph, core="cortex-m4", directory="sound").estimates)
