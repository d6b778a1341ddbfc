"""The loss: cross-entropy with the labels and, in distillation, with the softened answers of a teacher."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from edgeternary.train.recipe import Recipe
from edgeternary.train.teaching import Teaching

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def make_loss(recipe: Recipe, teaching: Teaching | None = None) -> Loss:
    """A function of (logits (N, classes), labels (N,), images (N, ...), sample numbers (N,)).

    (1 - d) CE(logits, labels) + d T^2 KL(softmax(teacher / T) || softmax(logits / T)), d = recipe.distill
    (Hinton et al., 2015). The teacher sees the same augmented images; with `original = true` in [distill] it
    sees the images before their augmentation.
    """
    weight, t = recipe.distill, recipe.temperature

    def loss(logits: Tensor, labels: Tensor, images: Tensor, chunk: Tensor) -> Tensor:
        hard = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        if teaching is None:
            return hard
        wanted = F.softmax(teaching(images, chunk) / t, 1)
        soft = F.kl_div(F.log_softmax(logits / t, 1), wanted, reduction="batchmean")
        return (1 - weight) * hard + weight * t * t * soft

    return loss
