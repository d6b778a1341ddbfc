"""A recipe describes a training run: the model, the data and the numbers. The trainer reads it."""

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
    """One part of a run.

    changes  the fields of Recipe that it changes, with their values
    weights  "quantized", or "float" in a stage that trains activations first (Martinez et al., 2020)
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    weights: str = "quantized"


@dataclass(frozen=True)
class Recipe:
    """A recipe module holds a Recipe as RECIPE; a TOML file holds the same values.

    model       makes the untrained network
    shape       shape of one sample as the network takes it: (C, H, W), (C, L) or (n,); () finds it by trying
    lr          highest learning rate, reached after the share `warmup` of all steps; a cosine to zero follows
    precision   "float32", or "bfloat16" for convolutions and dense layers of a training step. bfloat16 is
                exact for codes of up to 8 bits, and rounds sums. Statistics and figures are always float32
    smoothing   label smoothing
    optimizer   a name of train.optimizers; optimizer_options holds its further arguments
    clip        latent weights stay within +- clip; 0 sets no limit
    patience    the training stops after `patience` epochs without a better validation accuracy, and keeps the
                weights of the best epoch; 0 trains to the end and keeps the last weights
    start       makes a trained network, from whose weights the training starts (train.start)
    teacher     makes a trained network (or several, sources.Teachers) for samples of teacher_shape
    distill     weight of the teacher's answers, softened at `temperature`, in the loss
    teach_original  the teacher answers once, to the samples before their augmentation, for all epochs
    sparsity, cost  arguments of nn.SparsitySchedule and nn.CostPenalty
    anneal      {attribute of the layers: (start, end)}
    stages      they run in this order; without stages the recipe itself is the only one
    input_scale, input_zero  a code means (code - input_zero) * input_scale; None takes those of the data set
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
    start: Callable[[], nn.Module] | None = None
    teacher: Callable[[], nn.Module] | None = None
    teacher_shape: tuple[int, ...] = ()
    distill: float = 0.0
    temperature: float = 2.0
    teach_original: bool = False
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
        """(recipe, kind of weights) of each stage. Without stages: the recipe itself, quantised weights."""
        if not self.stages:
            return [(self, "quantized")]
        return [(dataclasses.replace(self, stages=(), **s.changes), s.weights) for s in self.stages]

    def with_epochs(self, epochs: int) -> Recipe:
        """The same recipe with `epochs` epochs. Stages keep their shares, and at least one epoch each."""
        total = sum(part.epochs for part, _ in self.parts())
        stages = tuple(
            dataclasses.replace(
                stage, changes={**stage.changes, "epochs": max(1, round(part.epochs * epochs / total))}
            )
            for stage, (part, _) in zip(self.stages, self.parts(), strict=False)
        )
        return dataclasses.replace(self, epochs=epochs, stages=stages)
