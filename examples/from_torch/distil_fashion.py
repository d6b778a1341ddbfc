"""A float CNN becomes a ternary one that learns from it, and an int8 one without any training.

    python examples/from_torch/distil_fashion.py [--minutes 10]

Fashion-MNIST. Accuracies are those of model.eval() on the 10,000 test images, which lower() makes a graph of.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

import edgeternary
from edgeternary import nn
from edgeternary.train.data import fashion_mnist

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Answer = Callable[[torch.Tensor], torch.Tensor]
PIXELS = nn.InputSpec.normalized(0.286, 0.353)
HEAT = 3.0


def cnn() -> torch.nn.Module:
    """As in many tutorials: three convolutions with batch-norm, ReLU and pooling."""

    def block(a: int, b: int) -> list[torch.nn.Module]:
        conv = torch.nn.Conv2d(a, b, 3, padding=1, bias=False)
        return [conv, torch.nn.BatchNorm2d(b), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]

    body = [*block(1, 24), *block(24, 48), *block(48, 96)]
    return torch.nn.Sequential(*body, torch.nn.Flatten(), torch.nn.Linear(96 * 9, 10))


def fit(
    model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, minutes: float, rate: float, loss: Loss
) -> None:
    """Adam with a cosine to zero over `minutes`; loss(images, labels); half of the images are mirrored.

    The minutes are those of two cores, counted in processor time, so that other work does not shorten them.
    """
    optimizer, start, share = torch.optim.Adam(model.parameters(), lr=rate), time.process_time(), 0.0
    while share < 1:
        model.train()
        for chunk in torch.randperm(len(x)).split(128):
            share = (time.process_time() - start) / (2 * 60 * minutes)
            if share >= 1:
                break
            optimizer.param_groups[0]["lr"] = rate * 0.5 * (1 + np.cos(np.pi * share))
            images = torch.where(torch.rand(len(chunk), 1, 1, 1) < 0.5, x[chunk].flip(3), x[chunk]).float()
            value = loss(images, y[chunk])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()


def accuracy(answer: Answer, x: torch.Tensor, y: torch.Tensor) -> float:
    """Percent of the images x whose class is y."""
    with torch.no_grad():
        found = [answer(part.float()).argmax(1) for part in x.split(500)]
    return 100 * float((torch.cat(found) == y).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10, help="of each training, on two cores")
    minutes = parser.parse_args().minutes
    torch.manual_seed(0)
    data = fashion_mnist()
    (x, y), (test_x, test_y) = (
        (torch.from_numpy(np.moveaxis(a, 3, 1).copy()), torch.from_numpy(b.astype(np.int64)))
        for a, b in (data.train, data.test)
    )

    def floats(images: torch.Tensor) -> torch.Tensor:
        return PIXELS.values(images)

    teacher = cnn()  # trained as its author did, on normalised floats
    fit(teacher, x, y, minutes, 2e-3, lambda images, labels: F.cross_entropy(teacher(floats(images)), labels))
    result = {"float": accuracy(lambda images: teacher.eval()(floats(images)), test_x, test_y)}
    print(json.dumps(result), flush=True)

    example = x[:512].float()
    for bits in (8, 4):  # post-training quantisation
        model = nn.convert(teacher, example, weights=bits, activations=bits, inputs=PIXELS, quiet=True).eval()
        result[f"int{bits}, no training"] = accuracy(model, test_x, test_y)

    student = nn.convert(teacher, example, weights="ternary", activations=4, inputs=PIXELS, quiet=True)

    def loss(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = F.softmax(teacher(floats(images)) / HEAT, 1)
        out = student(images)
        soft = F.kl_div(F.log_softmax(out / HEAT, 1), wanted, reduction="batchmean") * HEAT**2
        return 0.7 * soft + 0.3 * F.cross_entropy(out, labels)

    result["ternary, no training"] = accuracy(student.eval(), test_x, test_y)
    fit(student, x, y, minutes, 5e-3, loss)
    result["ternary, distilled"] = accuracy(student.eval(), test_x, test_y)
    graph = edgeternary.lower(student, example, name="fashion", labels=data.labels)
    edgeternary.save(graph, "fashion-ternary.et")
    print(json.dumps({name: round(value, 2) for name, value in result.items()}))


if __name__ == "__main__":
    main()
