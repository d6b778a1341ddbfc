"""The spiking network: 784 inputs, one layer of leaky neurons, a readout; ternary weights."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch

from edgeternary import nn


@dataclass(frozen=True)
class Task:
    """hidden: neurons; augment: flip, shift or both; epochs, lr: of the shipped net.

    teacher: a model of the zoo that it learns from; plain: the share of epochs on pixels instead of spikes.
    """

    name: str
    data: str
    hidden: int
    augment: tuple[str, ...]
    epochs: int
    steps: int = 8
    coding: str = "rate"
    lr: float = 3e-3
    batch: int = 256
    teacher: str = ""
    plain: float = 0.0


TASKS = {
    "fashion": Task(
        "spiking-fashion", "fashion-mnist", 384, ("flip",), 60, teacher="fashion-cnn-4bit", plain=0.6
    ),
    "mnist": Task("spiking-mnist", "mnist", 320, ("shift",), 9, steps=6),
}


def make_model(hidden: int, steps: int = 8, coding: str = "rate") -> nn.Spiking:
    """Pixels (N, 784) -> logits (N, steps, 10) after each step."""
    fraction = 0 if coding == "direct" else 3  # sums of pixels are large enough
    net = torch.nn.Sequential(
        OrderedDict(
            fc1=nn.Linear(784, hidden),
            lif1=nn.LIF(hidden, shift=2, fraction=fraction, start=0.5),
            fc2=nn.Linear(hidden, 10),
            out=nn.Readout(10, hidden),
        )
    )
    return nn.Spiking(net, steps, coding)
