"""Writes zoo/data/fashion_mnist_1000.npz; run it as a module after training both models."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from edgeternary import zoo
from edgeternary.run import run
from edgeternary.train.data import fashion_mnist
from edgeternary.train.trainer import to_tensor

COUNT = 1000


def write() -> None:
    """Stores images, labels and, per zoo model, torch's logits as integer codes with their scale."""
    images, labels = (part[:COUNT] for part in fashion_mnist().test)
    arrays: dict[str, Any] = {"images": images, "labels": labels}
    for name in zoo.names():
        graph, model = zoo.load(name), zoo.torch_model(name)
        inputs = images.reshape(COUNT, *graph.input.shape)
        codes = run(graph, inputs, on="torch", options={"torch_model": model}).outputs
        shape = tuple(int(n) for n in graph.meta.info["torch_shape"].split())
        with torch.no_grad():
            logits = model(to_tensor(images, shape)).numpy()
        scale = np.float32(graph.meta.logit_scale)
        if not np.array_equal(codes.astype(np.float32) * scale, logits):
            raise AssertionError(f"logits of {name} are no multiples of their scale")
        arrays[f"logits_{name}"], arrays[f"scale_{name}"] = codes, scale
    zoo.SAMPLES.parent.mkdir(exist_ok=True)
    np.savez_compressed(zoo.SAMPLES, **arrays)


if __name__ == "__main__":
    write()
