"""A training run from recipe to files: train, lower, measure the integer graph, write model and card."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import nn

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.frontends.torch import lower
from edgeternary.ir import Graph
from edgeternary.ir.file import save
from edgeternary.nn.checkpoint import save_codes
from edgeternary.ops import Conv2d, Dense
from edgeternary.run import run as execute
from edgeternary.train.data import Array, Data
from edgeternary.train.recipe import Recipe
from edgeternary.train.trainer import Progress, agreement, fit, to_tensor

ZOO = "zoo:"
NUMBERS = ("epochs", "batch", "lr", "warmup", "flip", "shift", "smoothing", "distill", "temperature")


@dataclass(frozen=True)
class Outcome:
    """Files that a run wrote, the graph and its card."""

    graph: Graph
    card: dict[str, Any]
    files: list[Path]


def find_recipe(text: str) -> Recipe:
    """The recipe "zoo:NAME", "package.module" (its RECIPE), or "package.module:function" that returns one."""
    module, _, function = text.partition(":")
    if text.startswith(ZOO):
        module, function = f"edgeternary.zoo.recipes.{text.removeprefix(ZOO).replace('-', '_')}", ""
    try:
        found = getattr(importlib.import_module(module), function or "RECIPE")
    except (ImportError, AttributeError, ValueError) as error:
        raise EdgeTernaryError(
            f"there is no recipe {text!r}",
            str(error),
            "give zoo:fashion-mlp, zoo:fashion-cnn, or module:function that returns a train.Recipe",
            code=USAGE,
        ) from error
    recipe = found() if callable(found) else found
    if not isinstance(recipe, Recipe):
        raise EdgeTernaryError(f"{text!r} is a {type(recipe).__name__}, no Recipe", code=USAGE)
    return recipe


def run(
    recipe: str | Recipe,
    out: str | os.PathLike[str] = ".",
    *,
    epochs: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Outcome:
    """Trains `recipe` and writes NAME.et, NAME.safetensors (weight codes) and NAME.json (card) into `out`.

    recipe: see `find_recipe`. epochs, seed: in place of the recipe's. progress(step, steps, figures) after
    every step, figures = {"loss", "epoch", "validation"}. checkpoint: a file written after each epoch; when
    it is there already, training goes on from it. The card's test accuracy is that of the lowered integer
    graph on the numpy executor, taken once, at the end. EdgeTernaryError for unknown recipes, missing data
    and diverged training.
    """
    chosen = find_recipe(recipe) if isinstance(recipe, str) else recipe
    changes = {key: value for key, value in (("epochs", epochs), ("seed", seed)) if value is not None}
    chosen = dataclasses.replace(chosen, **changes)  # type: ignore[arg-type]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    fitted = fit(chosen, progress, Path(checkpoint) if checkpoint else None)
    data = chosen.data()
    graph = lower(
        fitted.model,
        to_tensor(data.validation[0][:2], chosen.shape),
        name=chosen.name,
        input_scale=chosen.input_scale,
        input_zero=chosen.input_zero,
        labels=data.labels,
    )
    card = make_card(chosen, graph, data, fitted.model)
    info = {
        **graph.meta.info,
        **{key: str(card[key]) for key in ("summary", "data", "seed", "test_accuracy")},
    }
    graph = dataclasses.replace(graph, meta=msgspec.structs.replace(graph.meta, info=info))
    files = [folder / f"{chosen.name}.{suffix}" for suffix in ("safetensors", "et", "json")]
    save_codes(fitted.model, files[0])
    save(graph, files[1])
    partial = files[2].with_suffix(".partial")
    partial.write_text(json.dumps(card, indent=2) + "\n")
    partial.replace(files[2])
    return Outcome(graph, card, files)


def make_card(recipe: Recipe, graph: Graph, data: Data, model: nn.Module) -> dict[str, Any]:
    """What a reader needs to judge and repeat the run. The test images are used here, and only here."""
    return {
        "name": recipe.name,
        "summary": recipe.summary,
        "data": data.name,
        "test_accuracy": round(integer_accuracy(graph, data.test), 4),
        "test_samples": len(data.test[0]),
        "validation_accuracy": round(integer_accuracy(graph, data.validation), 4),
        "train_eval_agreement": round(agreement(model, to_tensor(data.test[0], recipe.shape)), 5),
        "seed": recipe.seed,
        "recipe": {field: getattr(recipe, field) for field in NUMBERS},
        "macs": graph.macs(),
        "weights": sum(int(op.weights.size) for op in graph.ops if isinstance(op, (Dense, Conv2d))),
        "torch": torch.__version__,
    }


def integer_accuracy(graph: Graph, split: tuple[Array, Array]) -> float:
    """Share of right answers of the integer graph on (images, labels), by the numpy executor."""
    images, labels = split
    outputs = execute(graph, images.reshape(len(images), *graph.input.shape), on="numpy").outputs
    return float(np.mean(outputs.argmax(1) == labels))
