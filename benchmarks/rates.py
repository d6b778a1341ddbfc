"""python -m benchmarks.rates: which learning rate a converted network starts well with (docs/pytorch.md).

Fashion-MNIST, ternary weights, 2-bit activations, Adam without a schedule, 240 steps of 100 samples.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from edgeternary import nn as q
from edgeternary.train.data import fashion_mnist
from edgeternary.train.shapes import labels_of, to_tensor

RATES, STEPS, BATCH, TESTED = (1e-3, 3e-3, 1e-2, 2e-2), (100, 240), 100, 4000
Samples = tuple[Tensor, Tensor]


def network() -> nn.Module:
    """A float CNN, not trained."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, stride=2, padding=1), bn1=nn.BatchNorm2d(16), relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 32, 3, stride=2, padding=1), bn2=nn.BatchNorm2d(32), relu2=nn.ReLU(),
            flatten=nn.Flatten(), fc=nn.Linear(32 * 49, 10),
        )
    ).eval()  # fmt: skip


def accuracies(rate: float, train: Samples, test: Samples) -> list[float]:
    """Percent of the test samples after each of STEPS."""
    torch.manual_seed(0)
    spec = q.InputSpec.normalized(0.286, 0.353)
    model = q.convert(network(), train[0][:256], inputs=spec, quiet=True, check=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    found = []
    for step, chunk in enumerate(torch.randperm(len(train[0])).split(BATCH)[: STEPS[-1]], 1):
        loss = cross_entropy(model.train()(train[0][chunk]), train[1][chunk])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in STEPS:
            with torch.no_grad():
                answers = torch.cat([model.eval()(part) for part in test[0].split(500)]).argmax(1)
            found.append(100 * (answers == test[1]).float().mean().item())
    return found


def main() -> None:
    data = fashion_mnist()
    train, test = ((to_tensor(part[0], (1, 28, 28)), labels_of(part)) for part in (data.train, data.test))
    print("rate", *(f"after {n} steps" for n in STEPS))
    for rate in RATES:
        print(rate, *(f"{n:.1f} %" for n in accuracies(rate, train, (test[0][:TESTED], test[1][:TESTED]))))


if __name__ == "__main__":
    main()
