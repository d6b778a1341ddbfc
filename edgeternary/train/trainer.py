"""The training loop: AdamW, warm-up and cosine, latent weights clipped to [-1, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edgeternary.errors import EdgeTernaryError
from edgeternary.nn import BatchNorm
from edgeternary.nn.linear import Quantized
from edgeternary.train import checkpoint as resume
from edgeternary.train.augment import augment
from edgeternary.train.data import Array
from edgeternary.train.losses import make_loss
from edgeternary.train.recipe import Recipe

SETTLE = 250  # images a batch when batch-norm statistics are taken anew

Progress = Callable[[int, int, dict[str, float]], None]


@dataclass
class Fitted:
    """A trained model in eval mode and, per epoch, {"loss", "validation"} (validation accuracy in 0..1)."""

    model: nn.Module
    history: list[dict[str, float]] = field(default_factory=list)


def to_tensor(images: Array, shape: tuple[int, ...]) -> Tensor:
    """Raw codes (n, H, W, C) as float32 (n, *shape), channels first."""
    return torch.tensor(images.transpose(0, 3, 1, 2)).float().reshape(-1, *shape)


def labels_of(split: tuple[Array, Array]) -> Tensor:
    """Labels of (images, labels) as int64."""
    return torch.from_numpy(split[1].astype(np.int64))


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """Linear warm-up to recipe.lr, then a cosine to zero."""
    warm = max(1, round(steps * recipe.warmup))
    if step < warm:
        return recipe.lr * (step + 1) / warm
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def clip_latents(model: nn.Module) -> None:
    """Keeps latent weights in [-1, 1], where the straight-through estimator is honest."""
    for module in model.modules():
        if isinstance(module, Quantized):
            module.weight.clamp_(-1, 1)


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor, batch: int = 500) -> float:
    """Share of samples whose largest logit is the label; the model is left in eval mode."""
    model.eval()
    right = sum(
        int((model(a).argmax(1) == b).sum()) for a, b in zip(x.split(batch), y.split(batch), strict=True)
    )
    return right / len(x)


@torch.no_grad()
def agreement(model: nn.Module, x: Tensor, batch: int = 500) -> float:
    """Share of samples for which float32 fake quantisation, as in training, gives the class of eval mode."""
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    classes = []
    for training in (False, True):
        model.train(training)
        for norm in norms:
            norm.use_running = training
        classes.append(torch.cat([model(part).argmax(1) for part in x.split(batch)]))
    for norm in norms:
        norm.use_running = False
    model.eval()
    return float((classes[0] == classes[1]).double().mean())


@torch.no_grad()
def settle_batch_norms(model: nn.Module, batches: Sequence[Tensor]) -> None:
    """Replaces each batch-norm's running statistics by their mean over `batches`.

    The running average remembers about ten batches, and its noise moves whole thresholds in a narrow
    quantised net.
    """
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    model.train()
    for i, batch in enumerate(batches):
        for norm in norms:
            norm.momentum = 1 / (i + 1)
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def fit(recipe: Recipe, progress: Progress | None = None, checkpoint: Path | None = None) -> Fitted:
    """Trains recipe.model() on its training images; the test images are not looked at.

    progress(step, steps, {"loss": ..., "epoch": ..., "validation": ...}) is called after every step;
    validation is the accuracy after the epoch before. checkpoint: written after every epoch, read first when
    it exists. EdgeTernaryError when the loss is not finite.
    """
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    data = recipe.data()
    x, y = torch.from_numpy(data.train[0].transpose(0, 3, 1, 2).copy()), labels_of(data.train)
    vx, vy = to_tensor(data.validation[0], recipe.shape), labels_of(data.validation)
    fitted = Fitted(recipe.model())
    model = fitted.model
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=0.0)
    loss_of = make_loss(recipe)
    per_epoch = len(x) // recipe.batch
    steps, step, figures = per_epoch * recipe.epochs, 0, {"validation": 0.0}

    def prepare(chunk: Tensor) -> Tensor:
        return augment(x[chunk].float(), recipe.flip, recipe.shift, generator).reshape(-1, *recipe.shape)

    start = 0
    if checkpoint and checkpoint.exists():
        rest = resume.read(checkpoint, recipe, model, optimizer)
        generator.set_state(rest["generator"])
        start, fitted.history = rest["epoch"], rest["history"]
        step = start * per_epoch
    for epoch in range(start, recipe.epochs):
        model.train()
        order, total = torch.randperm(len(x), generator=generator), 0.0
        for chunk in order[: per_epoch * recipe.batch].split(recipe.batch):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps, recipe)
            images = prepare(chunk)
            loss = loss_of(model(images), y[chunk], images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            clip_latents(model)
            step, total = step + 1, total + loss.item()
            if not math.isfinite(total):
                raise EdgeTernaryError(
                    f"training of {recipe.name} diverged in epoch {epoch + 1}",
                    "the loss is not a number",
                    "halve lr",
                )
            if progress:
                progress(step, steps, {"loss": loss.item(), "epoch": float(epoch), **figures})
        settle_batch_norms(model, [prepare(chunk) for chunk in order[: 40 * SETTLE].split(SETTLE)])
        figures = {"loss": total / per_epoch, "validation": accuracy(model, vx, vy)}
        fitted.history.append(figures)
        figures = {"validation": figures["validation"]}
        if checkpoint:
            rest = {"generator": generator.get_state(), "epoch": epoch + 1, "history": fitted.history}
            resume.write(checkpoint, recipe, model, optimizer, rest)
    model.eval()
    return fitted
