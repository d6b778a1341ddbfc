"""A table of mixed columns, as a StandardScaler makes it ready for training: from a float model to C.

pip install ".[train,mcu]"      (in a checkout)
python examples/sensors/table.py [--quick]
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor
from torch.nn import BatchNorm1d, Linear, Module, ReLU, Sequential, functional

import edgeternary
from edgeternary import nn
from edgeternary.testing import assert_bit_exact

EPOCHS = 1 if "--quick" in sys.argv else 8
CLASSES = ("sound", "worn", "leaking")


def machines(samples: int = 3000) -> tuple[Tensor, Tensor]:
    """Made-up pumps: degrees, pascals, g, hours, a switch and a one-hot model of three; and their state."""
    rng = np.random.default_rng(0)
    state = rng.integers(0, 3, samples)
    switch, kind = rng.integers(0, 2, samples), rng.integers(0, 3, samples)
    columns = [
        55 + 9 * (state == 1) + 4 * switch + rng.normal(0, 4, samples),
        101_325 + 4_000 * kind - 900 * (state == 2) + rng.normal(0, 400, samples),
        0.02 * (1 + (state == 1)) * rng.gamma(4, 1, samples),
        rng.uniform(0, 20_000, samples),
        switch,
        *(kind == k for k in range(3)),
    ]
    return torch.tensor(np.stack(columns, 1)).float(), torch.tensor(state)


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
x, y = machines()
(x, x_test), (y, y_test) = x.split(2500), y.split(2500)
mean, std = x.mean(0), x.std(0)  # or scaler.mean_, scaler.scale_ of sklearn.preprocessing.StandardScaler
hidden = [Linear(8, 32), BatchNorm1d(32), ReLU(), Linear(32, 32), BatchNorm1d(32), ReLU()]
float_model = Sequential(*hidden, Linear(32, 3))
fit(float_model, (x - mean) / std, y, 1e-3)

spec = nn.InputSpec.from_data(x, "int8", "NC", mean, std)  # pascals and g: each column has its own scale
model = nn.convert(float_model, spec.quantize(x), inputs=spec, activations=4).train()
fit(model, spec.quantize(x), y, 1e-2)

graph = edgeternary.lower(model, spec.quantize(x), name="table", labels=CLASSES)
codes = edgeternary.quantize(graph, x_test.numpy())  # the integers of spec.quantize(x_test)
assert_bit_exact(graph, on=["host", "cortex-m4"], inputs=codes[:20])
print("float", (float_model((x_test - mean) / std).argmax(1) == y_test).float().mean().item())
print("graph", (graph.run(codes).outputs.argmax(1) == y_test.numpy()).mean())
print(edgeternary.compile(graph, core="cortex-m4", directory="table").estimates)
