"""Distillation: the answers of trained teachers to the samples of a batch."""

import warnings

import torch
from torch import Tensor, nn

from edgeternary.nn import BatchNorm
from edgeternary.train.augment import Augment
from edgeternary.train.data import Data
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import Shape, sample_shape
from edgeternary.train.sources import Teachers

KEEPABLE = (Augment(), Augment(flip=True))  # with these, a sample has only one or two forms
PART = 250  # samples of a batch when answers are computed in advance
ASKED = 1000  # samples that `compare` asks about
LOST = 0.05  # of the teachers' accuracy, from which on `compare` warns


class LostTeacher(UserWarning):
    """Teachers that know the samples, but not the forms that the augmentation gives them."""


def precision_of(recipe: Recipe) -> torch.autocast:
    """The context in which a training step computes its logits."""
    return torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16")


class Teaching:
    """The mean logits of the recipe's teachers, for the images that the student sees.

    Teachers answer in train mode with their running statistics. This float32 fake quantisation is three times
    as fast as the exact eval mode, and gives the same class for at least 99.9 % of samples. If the
    augmentation is in KEEPABLE, or the recipe says teach_original, all answers are computed before the first
    step; the steps then run without the teachers. x: codes (N, C, H, W) of the training set.
    """

    def __init__(self, recipe: Recipe, data: Data, x: Tensor) -> None:
        assert recipe.teacher is not None
        teacher: nn.Module = recipe.teacher()
        members = teacher.members if isinstance(teacher, Teachers) else [teacher]
        self.members = [_ready(member, recipe, data) for member in members]
        self.recipe, self.x, self.kept = recipe, x, None
        if recipe.teach_original or recipe.augment in KEEPABLE:
            mirrors = recipe.augment.flip and not recipe.teach_original
            self.kept = torch.stack([self._ahead(x, mirrored) for mirrored in (False, True)[: 1 + mirrors]])

    def __call__(self, images: Tensor, chunk: Tensor) -> Tensor:
        """Logits (n, classes) for the augmented `images` (n, ...) of the samples `chunk` (n,)."""
        if self.kept is None:
            return self._answers(images)
        if len(self.kept) == 1:
            return self.kept[0, chunk]
        changed = (images.reshape(len(chunk), -1) != self.x[chunk].reshape(len(chunk), -1)).any(1)
        return self.kept[changed.long(), chunk]

    def compare(self, labels: Tensor) -> None:
        """LostTeacher where the teachers answer augmented samples worse than the samples themselves.

        labels (N,) of the training set, of which the first ASKED are taken. Nothing else shows that a student
        is taught wrongly.
        """
        if self.kept is not None:
            return
        x, y = self.x[:ASKED].float(), labels[:ASKED]
        changed = self.recipe.augment(x, torch.Generator().manual_seed(self.recipe.seed))
        own, other = (
            sum(
                float((self._answers(part).argmax(1) == right).sum())
                for part, right in zip(images.split(PART), y.split(PART), strict=True)
            )
            / len(y)
            for images in (x, changed)
        )
        if own - other >= LOST:
            message = (
                f"the teacher of {self.recipe.name!r} is right about {own:.1%} of {len(y):,} training "
                f"samples, but about {other:.1%} of them after their augmentation; original = true in "
                "[distill] lets it see them before"
            )
            warnings.warn(LostTeacher(message), stacklevel=2)

    def _ahead(self, x: Tensor, mirrored: bool) -> Tensor:
        return torch.cat(
            [self._answers(part.float().flip(3) if mirrored else part.float()) for part in x.split(PART)]
        )

    @torch.no_grad()
    def _answers(self, images: Tensor) -> Tensor:
        with precision_of(self.recipe):
            answers = [member(images.reshape(-1, *shape)).float() for member, shape in self.members]
        return torch.stack(answers).mean(0)


def _ready(teacher: nn.Module, recipe: Recipe, data: Data) -> tuple[nn.Module, Shape]:
    """The teacher, prepared to answer, and the shape of the samples that it takes."""
    teacher.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    shape = recipe.teacher_shape or sample_shape(teacher, data)
    for module in teacher.train().modules():
        if isinstance(module, BatchNorm):
            module.use_running = True
    return teacher, shape
