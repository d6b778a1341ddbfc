"""One training run: its steps and epochs, and its state after each of them."""

import math
from typing import Any

import torch
from torch import Tensor

from edgeternary.nn import BatchNorm, LutLayer, fit_tables
from edgeternary.train import hooks
from edgeternary.train.checkpoint import Position, Row
from edgeternary.train.data import Data
from edgeternary.train.diagnose import diverged, finite
from edgeternary.train.evaluate import accuracy, settle_batch_norms, sparsity
from edgeternary.train.losses import make_loss
from edgeternary.train.recipe import Recipe
from edgeternary.train.schedule import anneal, check_anneal, clip_latents, learning_rate
from edgeternary.train.shapes import labels_of, sample_shape, to_tensor
from edgeternary.train.start import CALIBRATION, start_from
from edgeternary.train.teaching import Teaching, precision_of

FIT = 2048  # images from which table networks take their thresholds
SETTLE = 250  # images in a batch when batch-norm statistics are computed again
SETTLE_BATCHES = 40


class Trainer:
    """One run: the objects that the recipe describes, and the position in the training."""

    def __init__(self, recipe: Recipe, data: Data) -> None:
        torch.manual_seed(recipe.seed)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.recipe, self.data, self.parts = recipe, data, recipe.parts()
        self.model = recipe.model()
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.shape = sample_shape(self.model, data, recipe.shape)
        self.x = torch.from_numpy(data.train[0].transpose(0, 3, 1, 2).copy())
        self.y = labels_of(data.train)
        self.validation = to_tensor(data.validation[0], self.shape), labels_of(data.validation)
        layers = list(self.model.modules())
        normed = any(isinstance(m, BatchNorm) for m in layers)
        self.settles = normed or not any(isinstance(m, LutLayer) for m in layers)
        fit_tables(self.model, self.x[:FIT].float().reshape(-1, *self.shape))
        if recipe.start:
            start_from(self.model, recipe.start(), self.x[:CALIBRATION].float().reshape(-1, *self.shape))
        self.teaching = Teaching(recipe, data, self.x) if recipe.teacher else None
        if self.teaching:
            self.teaching.compare(self.y)
        self.sparsity = hooks.make_sparsity(recipe, self.model)
        check_anneal(self.model, recipe.anneal)
        self.at = Position()
        self.steps = sum(self.batches(part) * part.epochs for part, _ in self.parts)
        self.begin()

    def batches(self, part: Recipe) -> int:
        """The number of whole batches of an epoch. A batch is never larger than the training set."""
        return len(self.x) // min(part.batch, len(self.x))

    def begin(self) -> None:
        """Makes the optimizer, the loss and the penalty of the current stage."""
        self.part, weights = self.parts[self.at.stage]
        hooks.use_float_weights(self.model, weights == "float")
        self.optimizer = hooks.make_optimizer(self.part, self.model)
        self.loss = make_loss(self.part, self.teaching)
        self.penalty = hooks.make_penalty(self.part, self.model, self.data, self.shape)
        self.per_epoch, self.batch = self.batches(self.part), min(self.part.batch, len(self.x))
        before = self.parts[: self.at.stage]
        self.steps_before = sum(self.batches(part) * part.epochs for part, _ in before)

    def share(self) -> float:
        """The finished share of the run, 0..1."""
        return (self.steps_before + self.at.step) / self.steps

    def prepare(self, chunk: Tensor) -> Tensor:
        """Augmented training images (len(chunk), *shape)."""
        return self.recipe.augment(self.x[chunk].float(), self.generator).reshape(-1, *self.shape)

    def step(self, chunk: Tensor) -> float:
        """Makes one step on the samples `chunk` and returns the loss."""
        at, part = self.at, self.part
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(at.step, self.per_epoch * part.epochs, part)
        share = self.share()
        anneal(self.model, part.anneal, share)
        if self.sparsity:
            self.sparsity(share)
        images = self.prepare(chunk)
        with precision_of(part):
            logits = self.model(images)
        loss = self.loss(logits.float(), self.y[chunk], images, chunk)
        if self.penalty:
            loss = loss + self.penalty()
        value = loss.item()
        if not math.isfinite(value):
            raise diverged(self.recipe, len(at.history) + 1, self.model, images)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if part.clip:
            clip_latents(self.model, part.clip)
        at.step, at.batch, at.loss = at.step + 1, at.batch + 1, at.loss + value
        at.right += float((logits.detach().argmax(1) == self.y[chunk]).sum())
        return value

    def epoch_chunks(self) -> list[Tensor]:
        """The sample numbers of the remaining batches of the epoch."""
        if self.at.order is None:
            self.at.order = torch.randperm(len(self.x), generator=self.generator)
        chunks = self.at.order[: self.per_epoch * self.batch].split(self.batch)
        return list(chunks[self.at.batch :])

    def end_epoch(self) -> Row:
        """Settles the batch-norms, measures the network, and counts the epoch."""
        at, rate = self.at, self.optimizer.param_groups[0]["lr"]
        assert at.order is not None
        if self.settles:
            chunks = list(at.order[: SETTLE_BATCHES * SETTLE].split(SETTLE))
            whole = [chunk for chunk in chunks if len(chunk) == SETTLE] or chunks
            settle_batch_norms(self.model, [self.prepare(chunk) for chunk in whole])
        if not finite(self.model):
            raise diverged(self.recipe, len(at.history) + 1, self.model, self.validation[0][:2])
        row = {
            "epoch": len(at.history) + 1.0,
            "stage": at.stage + 1.0,
            "loss": at.loss / self.per_epoch,
            "train": at.right / (self.per_epoch * self.batch),
            "validation": accuracy(self.model, *self.validation),
            "lr": rate,
            "sparsity": sparsity(self.model),
        }
        at.history.append(row)
        at.next_epoch()
        return row

    def keep_best(self, row: Row) -> bool:
        """Keeps the weights if the epoch is the best one. True after `patience` epochs without a better one.

        Epochs count in the last stage only, after the share of zero weights has reached its target.
        """
        too_early = self.at.stage < len(self.parts) - 1 or (
            self.sparsity and self.share() < self.sparsity.end
        )
        if not self.part.patience or too_early:
            return False
        best = self.at.best
        if not best or row["validation"] > best["validation"]:
            state = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
            self.at.best = {"validation": row["validation"], "epoch": row["epoch"], "state": state}
            return False
        return row["epoch"] - best["epoch"] >= self.part.patience

    def state(self) -> dict[str, Any]:
        """All that `restore` needs."""
        return {
            "position": vars(self.at),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "torch_generator": torch.get_rng_state(),
            "sparsity": self.sparsity.state_dict() if self.sparsity else {},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from the point at which `state` was taken, with the same bits."""
        self.at = state["position"]
        if self.at.stage < len(self.parts):
            self.begin()
            self.optimizer.load_state_dict(state["optimizer"])
        self.model.load_state_dict(state["model"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch_generator"])
        if self.sparsity:
            self.sparsity.load_state_dict(state["sparsity"])
