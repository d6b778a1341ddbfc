"""16-32-64 CNN on Fashion-MNIST: ternary weights, 2-bit activations, 0.64 M MAC, 33 k weights."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from edgeternary import nn as q
from edgeternary.train.data import fashion_mnist
from edgeternary.train.recipe import Recipe


def model() -> nn.Module:
    """Input (N, 1, 28, 28) raw pixels 0..255; maps 14x14x16, 7x7x32, 4x4x64."""
    return nn.Sequential(
        OrderedDict(
            conv1=q.Conv2d(1, 16, 3, pad=1),
            pool1=q.MaxPool(2),
            bn1=q.BatchNorm(16),
            act1=q.Activation(2),
            conv2=q.Conv2d(16, 32, 3, stride=2, pad=1),
            bn2=q.BatchNorm(32),
            act2=q.Activation(2),
            conv3=q.Conv2d(32, 64, 3, stride=2, pad=1),
            bn3=q.BatchNorm(64),
            act3=q.Activation(2),
            flatten=q.Flatten(),
            fc=q.Output(1024, 10),
        )
    )


RECIPE = Recipe(
    name="fashion-cnn",
    model=model,
    data=fashion_mnist,
    shape=(1, 28, 28),
    epochs=30,
    batch=128,
    lr=3e-3,
    seed=1,
    flip=True,
    summary="3x3 convolutions 16-32-64, ternary weights, uint2 activations",
)
