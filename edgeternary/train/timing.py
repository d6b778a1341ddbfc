"""The time of a training step of a recipe, compared with that of its float reference."""

import statistics
import time
from dataclasses import dataclass

from edgeternary.train.hooks import float_reference_of
from edgeternary.train.recipe import Recipe
from edgeternary.train.trainer import Trainer

WARM_UP = 3


@dataclass(frozen=True)
class StepTimes:
    """Medians over `steps` training steps, in milliseconds."""

    quantised_ms: float
    float_ms: float
    steps: int

    @property
    def ratio(self) -> float:
        return self.quantised_ms / self.float_ms


def step_times(recipe: Recipe, steps: int = 30) -> StepTimes:
    """Trains the network and its float reference alternately, `steps` steps each, on the same batches.

    A step consists of augmentation, forward and backward pass, optimizer and clipping, as in `fit`.
    """
    data = recipe.data()
    first = Trainer(recipe, data)
    reference = float_reference_of(recipe)
    trainers = first, Trainer(reference, data)
    seconds: tuple[list[float], list[float]] = ([], [])
    for trainer in trainers:
        trainer.model.train()
    chunks = first.epoch_chunks()
    for i in range(steps + WARM_UP):
        for trainer, times in zip(trainers, seconds, strict=True):
            start = time.perf_counter()
            trainer.step(chunks[i % len(chunks)])
            times.append(time.perf_counter() - start)
    quantised, plain = (1e3 * statistics.median(times[WARM_UP:]) for times in seconds)
    return StepTimes(quantised, plain, steps)
