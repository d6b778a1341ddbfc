"""A small PyTorch model: trained on the shipped images, lowered, run on three executors, written as C.

    pip install ".[train,mcu]"      (in a checkout)
    python examples/train_and_compile.py

It trains on 800 images for a few seconds, which is enough to see every step and too little for a good model.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch

import edgeternary
from edgeternary import nn, zoo
from edgeternary.testing import assert_bit_exact

EPOCHS = 8


def make_model() -> torch.nn.Module:
    """Raw pixels (N, 1, 28, 28) in, 10 logits out: ternary weights, 2-bit activations."""
    return torch.nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, stride=2, pad=1),
            bn1=nn.BatchNorm(16),
            act1=nn.Activation("uint2"),
            flatten=torch.nn.Flatten(),
            fc=nn.Output(16 * 14 * 14, 10),
        )
    )


def train(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    """A plain training loop: nothing of edgeternary in it."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for epoch in range(EPOCHS):
        model.train()
        for chunk in torch.randperm(len(images)).split(50):
            loss = torch.nn.functional.cross_entropy(model(images[chunk]), labels[chunk])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")


def main() -> None:
    torch.manual_seed(0)
    samples, classes = zoo.images("fashion-cnn")
    images = torch.from_numpy(samples.transpose(0, 3, 1, 2).copy()).float()
    labels = torch.from_numpy(classes.astype(np.int64))
    model = make_model()
    train(model, images[:800], labels[:800])

    graph = edgeternary.lower(model, images[:1], name="toy")
    edgeternary.save(graph, "toy.et")
    held_out = samples[800:]
    assert_bit_exact(graph, on=["host", "cortex-m4"], inputs=held_out[:20])

    # PyTorch and the graph agree exactly, ties included: logits are integers times one float32 scale.
    with torch.no_grad():
        logits = model.eval()(images[800:]).numpy()
    outputs = edgeternary.run.run(graph, held_out).outputs
    np.testing.assert_array_equal(outputs.astype(np.float32) * np.float32(graph.meta.logit_scale), logits)

    project = edgeternary.compile(graph, core="cortex-m4", directory="toy-cortex-m4")
    print("wrote", ", ".join(sorted(project.files)), project.estimates)


if __name__ == "__main__":
    main()
