"""A data set, a network and a recipe that train in a second."""

from __future__ import annotations

import numpy as np
from torch import nn

from edgeternary import nn as q
from edgeternary.train import Data, Recipe


def stripes() -> Data:
    """Horizontal and vertical bars with noise, 6x6."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (600, 6, 6, 1)).astype(np.uint8)
    labels = rng.integers(0, 2, 600).astype(np.uint8)
    for image, label, at in zip(images, labels, rng.integers(0, 6, 600), strict=True):
        image[(at, slice(None)) if label else (slice(None), at)] += 150
    cut = [(images[a:b], labels[a:b]) for a, b in ((0, 400), (400, 500), (500, 600))]
    return Data("stripes", *cut, labels=("vertical", "horizontal"))


def model(activations: int | str = 2) -> nn.Module:
    """A 3x3 convolution and an output layer."""
    layers = [
        q.Conv2d(1, 8, 3, pad=1),
        q.MaxPool(2),
        q.BatchNorm(8),
        q.Activation(activations),
        q.Flatten(),
        q.Output(72, 2),
    ]
    return nn.Sequential(*layers)


RECIPE = Recipe(name="stripes", model=model, data=stripes, shape=(1, 6, 6), epochs=6, batch=50, lr=1e-2)

TOML = """
name = "stripes"
summary = "bars"
data = "tests.train.stripes:stripes"
[model]
build = "tests.train.stripes:model"
activations = 2
[train]
epochs = 6
batch = 50
lr = 1e-2
"""


def recipe() -> Recipe:
    """RECIPE, as a function."""
    return RECIPE
