"""The loss: cross-entropy with labels, and with a teacher's softened answers."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from edgeternary.train.recipe import Recipe

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def make_loss(recipe: Recipe) -> Loss:
    """A function of (logits (N, classes), labels (N,), images (N, C, H, W)).

    (1 - d) CE(logits, labels) + d T^2 KL(softmax(teacher / T) || softmax(logits / T)), d = recipe.distill
    (Hinton et al., 2015); the teacher sees the same augmented images.
    """
    teacher = recipe.teacher().eval() if recipe.teacher else None
    weight, t = recipe.distill, recipe.temperature

    def loss(logits: Tensor, labels: Tensor, images: Tensor) -> Tensor:
        hard = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        if teacher is None:
            return hard
        with torch.no_grad():
            wanted = F.softmax(teacher(images.reshape(-1, *recipe.teacher_shape)) / t, 1)
        soft = F.kl_div(F.log_softmax(logits / t, 1), wanted, reduction="batchmean")
        return (1 - weight) * hard + weight * t * t * soft

    return loss
