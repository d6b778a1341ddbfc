"""What a training run is: the model, the data and the numbers. A recipe is data; the trainer reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from edgeternary.train.augment import Augment
from edgeternary.train.data import Data


@dataclass(frozen=True)
class Stage:
    """One part of a run: fields of Recipe that it changes, and whether weights are quantised in it.

    weights: "quantized", or "float" while the activations are trained first (Martinez et
    al., 2020).
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    weights: str = "quantized"


@dataclass(frozen=True)
class Recipe:
    """A recipe module holds one of these as RECIPE; a recipe file in TOML says the same.

    model       makes the untrained network
    shape       of one sample as the network takes it: (C, H, W), (C, L) or (n,); () finds it by trying
    lr          peak of the optimizer's rate after `warmup` of all steps; a cosine to zero follows
    precision   "float32", or "bfloat16" for convolutions and dense layers of a training step: it is exact for
                codes up to 8 bits, and rounds sums; statistics and figures are always taken in float32
    smoothing   of the labels
    optimizer   a name of train.optimizers; optimizer_options holds its further arguments
    clip        latent weights stay within +- clip; 0 for no limit
    patience    the training stops after `patience` epochs without a better validation accuracy, and keeps the
                weights of the best epoch; 0 trains to the end and keeps the last weights
    teacher     makes a trained network (or several, sources.Teachers) for samples of teacher_shape
    distill     weight in the loss of the teacher's answers, softened at `temperature`
    sparsity, cost  arguments of nn.SparsitySchedule and nn.CostPenalty
    anneal      {parameter: (start, end)}
    stages      run in this order; without any the recipe's own numbers are the only stage
    input_scale, input_zero  what a code means; None takes the data set's
    """

    name: str
    model: Callable[[], nn.Module]
    data: Callable[[], Data]
    shape: tuple[int, ...] = ()
    epochs: int = 10
    batch: int = 128
    lr: float = 2e-3
    warmup: float = 0.03
    seed: int = 0
    precision: str = "float32"
    augment: Augment = Augment()  # noqa: RUF009
    smoothing: float = 0.0
    teacher: Callable[[], nn.Module] | None = None
    teacher_shape: tuple[int, ...] = ()
    distill: float = 0.0
    temperature: float = 2.0
    input_scale: float | None = None
    input_zero: int | None = None
    summary: str = ""
    optimizer: str = "adamw"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    weight_decay: float = 0.0
    clip: float = 1.0
    patience: int = 0
    sparsity: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    anneal: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()

    def parts(self) -> list[tuple[Recipe, str]]:
        """Each stage as a recipe of its own and its kind of weights; without stages the recipe itself."""
        if not self.stages:
            return [(self, "quantized")]
        return [
            (dataclasses.replace(self, stages=(), **stage.changes), stage.weights) for stage in self.stages
        ]

    def with_epochs(self, epochs: int) -> Recipe:
        """The same recipe for `epochs` epochs; stages keep their shares, each at least one epoch."""
        total = sum(part.epochs for part, _ in self.parts())
        stages = tuple(
            dataclasses.replace(
                stage, changes={**stage.changes, "epochs": max(1, round(part.epochs * epochs / total))}
            )
            for stage, (part, _) in zip(self.stages, self.parts(), strict=False)
        )
        return dataclasses.replace(self, epochs=epochs, stages=stages)
