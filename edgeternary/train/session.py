"""A training run from recipe to files: train, lower, measure the integer graph, write model and card."""

import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgeternary.features import with_sound
from edgeternary.frontends.torch import lower
from edgeternary.frontends.torch_bounds import fit_bounds
from edgeternary.ir import Graph
from edgeternary.ir.file import save
from edgeternary.nn.checkpoint import save_codes
from edgeternary.train.card import card_text, make_card
from edgeternary.train.data import Data
from edgeternary.train.files import write_whole
from edgeternary.train.find import find_recipe
from edgeternary.train.hooks import float_reference_of
from edgeternary.train.logs import CsvLog, TensorBoardLog
from edgeternary.train.loop import Fitted, Progress, fit
from edgeternary.train.plots import accuracy_curve, confusion_matrix
from edgeternary.train.recipe import Recipe
from edgeternary.train.shapes import to_tensor

INFO = ("summary", "data", "seed", "test_accuracy")


@dataclass(frozen=True)
class Outcome:
    """The graph of a run, its card, and the files that the run wrote."""

    graph: Graph
    card: dict[str, Any]
    files: list[Path]


@dataclass(frozen=True)
class Options:
    """Options of a run that do not change what is trained.

    checkpoint       written after each epoch and every `every` seconds (or `every_steps` steps), and deleted
                     at the end. If it exists, the training continues from it
    float_reference  also train the float reference in the same way, for the card
    tensorboard      also write event files
    threads          threads of torch; 0 keeps their number, which influences the last bits
    """

    checkpoint: Path | None = None
    every: float = 60.0
    every_steps: int = 0
    float_reference: bool = False
    tensorboard: bool = False
    threads: int = 0


def run(
    recipe: str | Recipe,
    out: str | os.PathLike[str] = ".",
    *,
    epochs: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    options: Options = Options(),
) -> Outcome:
    """Trains `recipe` and writes its files into `out`; the card is the last one.

    The files are NAME.et, NAME.safetensors (weight codes), NAME.json and NAME.md (card), NAME.csv (log),
    NAME.accuracy.svg and NAME.confusion.svg. The test accuracy of the card is that of the lowered integer
    graph on the numpy executor. It is measured once, at the end.

    recipe        see `find_recipe`
    epochs, seed  replace those of the recipe
    progress      called after every step with (step, steps, {"task", "loss", "epoch", "validation"})
    checkpoint    replaces that of `options`
    EdgeTernaryError for unknown recipes, missing data and diverged training.
    """
    chosen = find_recipe(recipe) if isinstance(recipe, str) else recipe
    chosen = chosen if epochs is None else chosen.with_epochs(epochs)
    chosen = chosen if seed is None else dataclasses.replace(chosen, seed=seed)
    if checkpoint is not None:
        options = dataclasses.replace(options, checkpoint=Path(checkpoint))
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    data = chosen.data()
    board = TensorBoardLog(folder / "tensorboard" / chosen.name) if options.tensorboard else None
    fitted, reference = _train(chosen, data, folder, progress, options, board)
    graph = _lower(chosen, data, fitted)
    card = make_card(dataclasses.replace(chosen, shape=fitted.shape), graph, data, fitted, reference)
    info = {**graph.meta.info, **{key: str(card[key]) for key in INFO}}
    graph = dataclasses.replace(graph, meta=msgspec.structs.replace(graph.meta, info=info))
    files = _write(folder, graph, card, data, fitted)
    if options.checkpoint:
        for path in (options.checkpoint, reference_checkpoint(options.checkpoint)):
            path.unlink(missing_ok=True)
    return Outcome(graph, card, files)


def _train(
    recipe: Recipe,
    data: Data,
    folder: Path,
    progress: Progress | None,
    options: Options,
    board: TensorBoardLog | None,
) -> tuple[Fitted, nn.Module | None]:
    """The fitted network and, if `options` asks for it, its float reference."""
    csv = CsvLog(folder / f"{recipe.name}.csv")

    def log(history: list[dict[str, float]]) -> None:
        csv(history)
        if board:
            board(history)

    rest: dict[str, Any] = {"data": data, "every": options.every, "every_steps": options.every_steps}
    try:
        fitted = fit(recipe, _named(progress, "training"), options.checkpoint, log=log, **rest)
    finally:
        if board:
            board.close()
    csv(fitted.history)
    if not options.float_reference:
        return fitted, None
    path = options.checkpoint and reference_checkpoint(options.checkpoint)
    reference = float_reference_of(dataclasses.replace(recipe, shape=fitted.shape))
    reference_csv = CsvLog(folder / f"{recipe.name}.float.csv")
    return fitted, fit(reference, _named(progress, "float reference"), path, log=reference_csv, **rest).model


def _named(progress: Progress | None, task: str) -> Progress | None:
    if progress is None:
        return None
    return lambda step, steps, figures: progress(step, steps, {"task": task, **figures})


def reference_checkpoint(path: Path) -> Path:
    """The path of the float reference's checkpoint."""
    return path.with_name(f"{path.name}.float")


def _lower(recipe: Recipe, data: Data, fitted: Fitted) -> Graph:
    example = to_tensor(data.validation[0][:2], fitted.shape)
    fit_bounds(fitted.model, example, input_type=data.input_type)
    graph = lower(
        fitted.model,
        example,
        name=recipe.name,
        input_type=data.input_type,
        input_scale=data.input_scale if recipe.input_scale is None else recipe.input_scale,
        input_zero=data.input_zero if recipe.input_zero is None else recipe.input_zero,
        labels=data.labels,
    )
    return with_sound(graph, data.sound) if data.sound else graph


def _write(folder: Path, graph: Graph, card: dict[str, Any], data: Data, fitted: Fitted) -> list[Path]:
    name, history = card["name"], fitted.history
    kept = fitted.best_epoch if fitted.best_epoch < len(history) else 0
    texts: dict[str, Callable[[], str]] = {
        "accuracy.svg": lambda: accuracy_curve(f"{name}: accuracy", history, kept),
        "confusion.svg": lambda: confusion_matrix(
            f"{name}: {data.name}", np.array(card["confusion"]), data.labels
        ),
        "md": lambda: card_text(card, data.labels),
        "json": lambda: json.dumps(card, indent=2) + "\n",
    }
    model_files = [folder / f"{name}.{suffix}" for suffix in ("safetensors", "et")]
    save_codes(fitted.model, model_files[0])
    save(graph, model_files[1])
    made = {folder / f"{name}.{suffix}": text() for suffix, text in texts.items()}
    for path, text in made.items():
        write_whole(path, text)
    return [*model_files, folder / f"{name}.csv", *made]
