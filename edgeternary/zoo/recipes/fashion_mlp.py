"""784-256-256-10 on Fashion-MNIST: ternary weights, bipolar activations, 269 k MAC; taught by the CNN."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from edgeternary import nn as q
from edgeternary import zoo
from edgeternary.train.data import fashion_mnist
from edgeternary.train.recipe import Recipe


def model() -> nn.Module:
    """Input (N, 784) raw pixels 0..255."""
    return nn.Sequential(
        OrderedDict(
            fc1=q.Linear(784, 256),
            bn1=q.BatchNorm(256),
            act1=q.Activation("bipolar", scale=2.0),
            fc2=q.Linear(256, 256),
            bn2=q.BatchNorm(256),
            act2=q.Activation("bipolar", scale=2.0),
            fc3=q.Output(256, 10),
        )
    )


def teacher() -> nn.Module:
    """The zoo's CNN."""
    return zoo.torch_model("fashion-cnn")


RECIPE = Recipe(
    name="fashion-mlp",
    model=model,
    data=fashion_mnist,
    shape=(784,),
    epochs=60,
    batch=256,
    lr=3e-3,
    seed=1,
    flip=True,
    teacher=teacher,
    teacher_shape=(1, 28, 28),
    distill=0.7,
    summary="784-256-256-10, ternary weights, bipolar activations",
)
