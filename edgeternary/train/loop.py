"""The training loop: stages consist of epochs, epochs of steps. A run can be resumed after any step."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from edgeternary.train import checkpoint as resume
from edgeternary.train import hooks
from edgeternary.train.checkpoint import Row, Saver
from edgeternary.train.data import Data
from edgeternary.train.interrupt import stop_requests
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import Shape
from edgeternary.train.trainer import Trainer

Progress = Callable[[int, int, dict[str, Any]], None]
Log = Callable[[list[Row]], None]


@dataclass
class Fitted:
    """A trained model in eval mode.

    shape       the shape of its samples
    history     a row {"loss", "validation", ...} for each epoch
    best_epoch  the epoch, counted from 1, that gave the weights; the last epoch unless `patience` is set
    """

    model: nn.Module
    shape: Shape
    history: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0


def fit(
    recipe: Recipe,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    *,
    data: Data | None = None,
    log: Log | None = None,
    every: float = 60.0,
    every_steps: int = 0,
) -> Fitted:
    """Trains recipe.model() on the training images. The test images are not used.

    progress    called after every step with (step, steps, {"loss", "epoch", "validation"}); validation is the
                accuracy after the last whole epoch
    checkpoint  written after every epoch and every `every` seconds (or `every_steps` steps). If it exists,
                the run continues from it, to the same bits with the same number of threads
    log         called after every epoch with the history
    Ctrl-C and SIGTERM write the checkpoint, then raise KeyboardInterrupt. EdgeTernaryError if the loss is not
    finite.
    """
    trainer = Trainer(recipe, data or recipe.data())
    saver = Saver(checkpoint, every, every_steps)
    if checkpoint and checkpoint.exists():
        trainer.restore(resume.read(checkpoint, recipe))
    with stop_requests() as asked:
        while trainer.at.stage < len(trainer.parts):
            stopped = _stage(trainer, saver, progress, log, asked)
            trainer.at.next_stage()
            if stopped:
                trainer.at.stage = len(trainer.parts)
            if trainer.at.stage < len(trainer.parts):
                trainer.begin()
            saver.write(recipe, trainer.state())
    at, model = trainer.at, trainer.model
    if at.best:
        model.load_state_dict(at.best["state"])
    hooks.use_float_weights(model, False)
    best = int(at.best.get("epoch", len(at.history)))
    return Fitted(model.eval(), trainer.shape, at.history, best, at.seconds)


def _stage(
    trainer: Trainer, saver: Saver, progress: Progress | None, log: Log | None, asked: Callable[[], bool]
) -> bool:
    """Trains the current stage to its end. True if `patience` ended it."""
    clock = time.monotonic()

    def tick() -> None:
        nonlocal clock
        now = time.monotonic()
        trainer.at.seconds, clock = trainer.at.seconds + now - clock, now

    while trainer.at.epoch < trainer.part.epochs:
        trainer.model.train()
        for chunk in trainer.epoch_chunks():
            loss = trainer.step(chunk)
            tick()
            if asked() or saver.due(trainer.at.step):
                saver.write(trainer.recipe, trainer.state())
            if asked():
                raise KeyboardInterrupt
            if progress:
                done = trainer.steps_before + trainer.at.step
                history = trainer.at.history
                figures = {"loss": loss, "epoch": float(len(history))}
                figures["validation"] = history[-1]["validation"] if history else 0.0
                progress(done, trainer.steps, figures)
        row = trainer.end_epoch()
        tick()
        row["seconds"] = trainer.at.seconds
        stop = trainer.keep_best(row)
        if log:
            log(trainer.at.history)
        if stop:
            return True
        saver.write(trainer.recipe, trainer.state())
    return False
