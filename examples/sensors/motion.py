"""Motion data, series (N, T, C) of a smart watch: from a float model to C.

pip install ".[train,mcu,data]"      (in a checkout; without `data` the series are made up)
python examples/sensors/motion.py [--quick]
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Conv1d, Linear, Module, functional

import edgeternary
from edgeternary import EdgeTernaryError, nn
from edgeternary.testing import assert_bit_exact
from edgeternary.train.data.ts import read_pair

EPOCHS = 2 if "--quick" in sys.argv else 30
CLASSES = ("standing", "running", "walking", "badminton")


def motions() -> list[tuple[Tensor, Tensor]]:
    """BasicMotions for training and test: float32 (N, 100, 6), accelerometer and gyroscope, and classes."""
    try:
        pairs = read_pair("BasicMotions", None)
    except EdgeTernaryError:  # series of four frequencies in place of the recordings
        y = np.arange(40) % 4
        steps = np.arange(100) * (y[:, None, None] + 0.5) / 8 + np.arange(6)[:, None]
        noise = np.random.default_rng(0).normal(0, 0.3, (2, 40, 6, 100))
        pairs = [(list(np.sin(steps) * y[:, None, None] + n), [CLASSES[i] for i in y]) for n in noise]
    codes = [torch.tensor([CLASSES.index(label.lower()) for label in labels]) for _, labels in pairs]
    return [(torch.tensor(np.stack(x)).float().mT, y) for (x, _), y in zip(pairs, codes, strict=True)]


class Net(Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = Conv1d(6, 16, 5, padding=2), BatchNorm1d(16)
        self.conv2, self.bn2 = Conv1d(16, 16, 5, padding=2), BatchNorm1d(16)
        self.fc = Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 1)
        x = functional.max_pool1d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = functional.max_pool1d(torch.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(x.mean(2))


def fit(model: Module, x: Tensor, y: Tensor, rate: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    chunks = [c for _ in range(EPOCHS) for c in torch.randperm(len(x)).split(10)]
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(chunks))
    for chunk in chunks:
        loss = functional.cross_entropy(model(x[chunk]), y[chunk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()


torch.manual_seed(0)
(x, y), (x_test, y_test) = motions()
mean, std = x.mean((0, 1)), x.std((0, 1))
float_model = Net()
fit(float_model, (x - mean) / std, y, 1e-3)
spec = nn.InputSpec.from_data(x, "int8", "NTC", mean, std)  # a scale for each channel; the mean is code 0
model = nn.convert(float_model, spec.quantize(x), inputs=spec, activations=4).train()
fit(model, spec.quantize(x), y, 1e-2)

graph = edgeternary.lower(model, spec.quantize(x), name="motion", labels=CLASSES)
codes = edgeternary.quantize(graph, x_test[:, None].numpy())  # the integers of spec.quantize(x_test)
assert_bit_exact(graph, on=["host", "cortex-m4"], inputs=codes[:20])
print("float", (float_model((x_test - mean) / std).argmax(1) == y_test).float().mean().item(), end=", ")
print("graph", (graph.run(codes).outputs.argmax(1) == y_test.numpy()).mean())
print(edgeternary.compile(graph, core="cortex-m4", directory="motion").estimates)
