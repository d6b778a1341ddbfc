"""The loss: cross-entropy with labels, and with a teacher's softened answers."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn import BatchNorm
from edgeternary.train.data import Data
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import Shape, sample_shape

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
Teaching = tuple[nn.Module, Shape]


def make_teacher(recipe: Recipe, data: Data) -> Teaching | None:
    """The recipe's trained teacher and the shape of the samples that it takes.

    It answers in train mode with its running statistics: float32 fake quantisation, three times as fast as
    the exact eval mode, and the same class for at least 99.9 % of samples.
    """
    if recipe.teacher is None:
        return None
    teacher: nn.Module = recipe.teacher().eval()
    teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    shape = recipe.teacher_shape or sample_shape(teacher, data)
    for module in teacher.train().modules():
        if isinstance(module, BatchNorm):
            module.use_running = True
    return teacher, shape


def precision_of(recipe: Recipe) -> torch.autocast:
    """The context in which a training step computes its logits."""
    return torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16")


def make_loss(recipe: Recipe, teaching: Teaching | None = None) -> Loss:
    """A function of (logits (N, classes), labels (N,), images (N, C, H, W)).

    (1 - d) CE(logits, labels) + d T^2 KL(softmax(teacher / T) || softmax(logits / T)), d = recipe.distill
    (Hinton et al., 2015); the teacher sees the same augmented images.
    """
    weight, t = recipe.distill, recipe.temperature

    def loss(logits: Tensor, labels: Tensor, images: Tensor) -> Tensor:
        hard = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        if teaching is None:
            return hard
        teacher, shape = teaching
        with torch.no_grad(), precision_of(recipe):
            answers = teacher(images.reshape(-1, *shape))
        wanted = F.softmax(answers.float() / t, 1)
        soft = F.kl_div(F.log_softmax(logits / t, 1), wanted, reduction="batchmean")
        return (1 - weight) * hard + weight * t * t * soft

    return loss
