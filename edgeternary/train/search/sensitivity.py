"""How much each kind, at one place, changes the answers of a trained network.

A network differs from the trained one in one kind, is fine-tuned for some steps by distillation from it, and
is compared with it on validation samples: the mean Kullback-Leibler divergence of its answers. What the
network without any change has after as many steps is subtracted. For several changes the losses add up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeternary.nn import BatchNorm
from edgeternary.train.data import Data
from edgeternary.train.evaluate import settle_batch_norms
from edgeternary.train.recipe import Recipe
from edgeternary.train.search.space import Mixture, Space
from edgeternary.train.trainer import SETTLE, Trainer

SAMPLES = 2000  # of the validation split
SETTLES = 10  # batches from which batch-norm statistics are computed
LEAST = 1e-6  # loss of a change, so that of two choices the one with fewer changes wins


@dataclass(frozen=True)
class Losses:
    """The loss of each kind at each place: weights[layer][kind] and activations[place][kind], in nats.

    still  the divergence of the network without any change, which was subtracted
    """

    weights: tuple[dict[str, float], ...]
    activations: tuple[dict[str, float], ...]
    still: float = 0.01

    def of(self, mixture: Mixture) -> float:
        """The predicted loss of a mixture: the sum over its kinds."""
        pairs = [*zip(self.weights, mixture.weights, strict=True)]
        pairs += zip(self.activations, mixture.activations, strict=True)
        return sum(losses[str(kind)] for losses, kind in pairs)


def losses(
    space: Space,
    recipe: Recipe,
    data: Data,
    steps: int,
    progress: Callable[[int, int], None] | None = None,
) -> Losses:
    """The losses of all single changes of the space's base.

    recipe  the fine-tuning: it starts from the trained network, and that network teaches
    steps   of fine-tuning for each change
    """
    assert recipe.start is not None
    base = recipe.start().eval()
    changes = list(space.single_changes())
    found: tuple[list[dict[str, float]], list[dict[str, float]]] = (
        [{str(kind): 0.0} for kind in space.base.weights],
        [{str(kind): 0.0} for kind in space.base.activations],
    )
    still = _loss(space, space.base, recipe, data, steps, base)
    for done, (key, at, kind) in enumerate(changes):
        if progress:
            progress(done, len(changes))
        loss = _loss(space, space.base.replaced(key, at, kind), recipe, data, steps, base)
        found[key == "activations"][at][str(kind)] = max(loss - still, LEAST)
    if progress:
        progress(len(changes), len(changes))
    return Losses(tuple(found[0]), tuple(found[1]), still)


def _loss(space: Space, mixture: Mixture, recipe: Recipe, data: Data, steps: int, base: nn.Module) -> float:
    model = dataclasses.replace(space, recipe=recipe).recipe_of(mixture).model
    trainer = Trainer(dataclasses.replace(recipe, model=model, epochs=1), data)
    trainer.per_epoch = steps  # the learning rate falls to zero over them
    trainer.model.train()
    chunks = trainer.epoch_chunks()
    for step in range(steps):
        trainer.step(chunks[step % len(chunks)])
    settled(trainer)
    x = trainer.validation[0][:SAMPLES]
    with torch.no_grad():
        wanted, answers = (
            F.log_softmax(answers_of(base, x), 1),
            F.log_softmax(answers_of(trainer.model, x), 1),
        )
        return float(F.kl_div(answers, wanted, reduction="batchmean", log_target=True))


def settled(trainer: Trainer) -> None:
    """Computes the statistics of the batch-norms from training samples, without augmentation."""
    count = min(SETTLES * SETTLE, len(trainer.x))
    batches = trainer.x[:count].float().reshape(-1, *trainer.shape).split(SETTLE)
    settle_batch_norms(trainer.model, [batch for batch in batches if len(batch) > 1])


@torch.no_grad()
def answers_of(model: nn.Module, x: Tensor) -> Tensor:
    """Logits by fake quantisation with running statistics, three times as fast as eval mode."""
    norms = [module for module in model.modules() if isinstance(module, BatchNorm)]
    model.train()
    for norm in norms:
        norm.use_running = True
    answers = torch.cat([model(part) for part in x.split(500)])
    for norm in norms:
        norm.use_running = False
    return answers
