"""A search from a recipe to trained networks and their figures on a core.

1. The network of the recipe is trained, unless it is trained already.
2. The loss of each kind at each place is measured after a short fine-tuning (sensitivity).
3. The plans of each layer are found for each kind (costs).
4. A few mixtures on the front of loss, cycles and flash are chosen, and fine-tuned in processes.
5. Each network is compiled and run in the emulator; what no other beats is the front.

Every file is written whole, and a search that was interrupted goes on from the files of its folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgeternary.data import zoo_dir
from edgeternary.frontends.torch import lower
from edgeternary.frontends.torch_bounds import fit_bounds
from edgeternary.frontends.torch_quantize import BoundExceeded
from edgeternary.ir import Graph
from edgeternary.ir.file import load
from edgeternary.train import processes
from edgeternary.train.data import Data
from edgeternary.train.files import write_whole
from edgeternary.train.recipe import Recipe
from edgeternary.train.search import choose, costs, measure, sensitivity
from edgeternary.train.search.goals import Goals
from edgeternary.train.search.space import ACTIVATION_CHOICES, WEIGHT_CHOICES, Mixture, Space, space_of
from edgeternary.train.shapes import to_tensor
from edgeternary.train.sweep import Run
from edgeternary.train.toml import ZOO, Teacher, to_table, zoo_recipes
from edgeternary.train.trainer import Trainer

Row = dict[str, Any]
Progress = Callable[[str, int, int], None]

DISTILL = 0.5  # weight of the teacher's answers, where the recipe has no teacher
RATE = 2.0  # learning rate of the fine-tuning, in units of the recipe's
STEPS = 60  # of fine-tuning for each sensitivity
MEASURING = 15.0  # seconds to plan, build and run one network


@dataclass(frozen=True)
class Settings:
    """What a search may do.

    core         of which cycles and flash count
    weights, activations  the kinds to choose from
    points       networks to fine-tune
    minutes      for the whole search, apart from the training of the base
    jobs         processes at a time; 0: one for each core of this machine
    steps        of fine-tuning for each sensitivity
    options      of the executor: compiler, opt_level
    """

    core: str = "cortex-m4"
    goals: Goals = field(default_factory=Goals)
    weights: tuple[str, ...] = WEIGHT_CHOICES
    activations: tuple[str, ...] = ACTIVATION_CHOICES
    points: int = 5
    minutes: float = 40.0
    jobs: int = 0
    steps: int = STEPS
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a search found.

    rows     figures of each network and plan, the base first; "front" marks those that no other beats
    best     of the rows that reach the goals the cheapest, or else the row that comes nearest
    reached  whether it reaches them
    """

    rows: list[Row]
    best: Row
    reached: bool


def search(recipe: Recipe, folder: Path, settings: Settings, progress: Progress) -> Found:
    """Searches, and writes the networks into folders below `folder`, each with its recipe and its card.

    recipe  of the base, whose network is a chain of layers that take kinds (train.kinds)
    """
    torch.set_num_threads(1)  # the steps are short: processes use the cores better than threads
    space = space_of(recipe, settings.weights, settings.activations)
    folder.mkdir(parents=True, exist_ok=True)
    data = recipe.data()
    base, base_file = _base(recipe, folder, progress)
    start = time.monotonic()
    tuned = _fine_tuning(recipe, base)
    runs = _planned(space, tuned, data, folder, settings, progress, start)
    jobs = settings.jobs or os.cpu_count() or 1
    processes.train_all(runs, jobs, threads=1, progress=lambda done, total: progress("networks", done, total))
    cards = [json.loads(base_file.with_suffix(".json").read_text()), *(run.card() or {} for run in runs)]
    files = [base_file, *(run.folder / f"{run.table['name']}.et" for run in runs)]
    rows: list[Row] = []
    for done, (card, file) in enumerate(zip(cards, files, strict=True)):
        progress("measuring", done, len(files))
        rows += _rows(card, file, data, settings)
    progress("measuring", len(files), len(files))
    measure.mark_front(rows)
    for row in rows:
        row["reached"] = not settings.goals.misses(row)
    return _found(rows, settings.goals)


def _found(rows: list[Row], goals: Goals) -> Found:
    def cost(row: Row) -> tuple[float, ...]:
        excess = goals.excess(row["cycles"], row["flash_bytes"], row["validation"])
        free = row["flash_bytes"] if goals.max_cycles and not goals.max_flash else row["cycles"]
        accurate = goals.min_accuracy is None
        return (excess, -row["validation"], free) if accurate else (excess, free, -row["validation"])

    best = min(rows, key=cost)
    return Found(rows, best, bool(best["reached"]))


def _base(recipe: Recipe, folder: Path, progress: Progress) -> tuple[str, Path]:
    """The trained base as recipes name it, and its .et file; trained here unless that is done already."""
    from edgeternary.train.session import Options, run

    zoo = zoo_dir() / "nets" / f"{recipe.name}.et"
    done = Run({}, to_table(recipe), zoo.parent)
    if recipe.name in zoo_recipes() and zoo.with_suffix(".safetensors").exists() and done.card():
        return f"{ZOO}{recipe.name}", zoo
    run_ = Run({}, to_table(recipe), folder / "base")
    if run_.card() is None:
        run_.folder.mkdir(parents=True, exist_ok=True)
        run(
            recipe,
            run_.folder,
            options=Options(checkpoint=run_.folder / "base.ckpt"),
            progress=lambda step, steps, figures: progress("base", step, steps),
        )
    return str(run_.folder / f"{recipe.name}.safetensors"), run_.folder / f"{recipe.name}.et"


def _fine_tuning(recipe: Recipe, base: str) -> Recipe:
    """The recipe of the fine-tuning: from the base, which teaches unless the recipe has a teacher."""
    changes: dict[str, Any] = {"start": Teacher(base), "lr": recipe.lr * RATE, "stages": (), "patience": 0}
    if recipe.teacher is None:
        changes |= {"teacher": Teacher(base), "distill": DISTILL}
    return dataclasses.replace(recipe, **changes)


def _planned(
    space: Space,
    tuned: Recipe,
    data: Data,
    folder: Path,
    settings: Settings,
    progress: Progress,
    start: float,
) -> list[Run]:
    """The runs that fine-tune the chosen mixtures, kept in a file: the same search chooses them once."""
    where, key = folder / "search.json", _key(space, tuned, settings)
    try:
        kept = json.loads(where.read_text())
    except (OSError, ValueError):
        kept = {}
    if kept.get("key") != key:
        losses, per_step = _losses(space, tuned, data, folder, settings, progress)
        maker = _Graphs(space, tuned, data)
        table = costs.table(space, settings.core, maker, lambda a, b: progress("costs", a, b))
        found = choose.choices(table, losses)
        mixtures = choose.choose(found, settings.goals, settings.points, space.base, losses.still)
        spent = time.monotonic() - start + MEASURING * (len(mixtures) + 1)
        jobs = min(settings.jobs or os.cpu_count() or 1, len(mixtures) or 1)
        rounds = -(-len(mixtures) // jobs)
        epoch = per_step * (len(data.train[0]) // min(tuned.batch, len(data.train[0])))
        epochs = int((settings.minutes * 60 - spent) / max(rounds * epoch, 1e-9))
        epochs = max(1, min(epochs, sum(part.epochs for part, _ in space.recipe.parts())))
        tables = [to_table(_named(space, tuned, mixture, epochs)) for mixture in mixtures]
        kept = {"key": key, "tables": tables, "losses": [losses.of(mixture) for mixture in mixtures]}
        write_whole(where, json.dumps(kept, indent=2) + "\n")
    return [Run({"network": t["name"]}, t, folder / t["name"]) for t in kept["tables"]]


def _named(space: Space, tuned: Recipe, mixture: Mixture, epochs: int) -> Recipe:
    recipe = dataclasses.replace(space, recipe=tuned).recipe_of(mixture)
    weights, activations = mixture.short().split("/")
    name = f"{tuned.name}-w{weights}-a{activations}"
    summary = f"{tuned.name} with weights {weights} and activations {activations}"
    return dataclasses.replace(recipe, name=name, summary=summary, epochs=epochs)


def _losses(
    space: Space, tuned: Recipe, data: Data, folder: Path, settings: Settings, progress: Progress
) -> tuple[sensitivity.Losses, float]:
    """The losses, and the seconds of a step of fine-tuning."""
    where, key = folder / "losses.json", _key(space, tuned, settings.steps)
    try:
        kept = json.loads(where.read_text())
    except (OSError, ValueError):
        kept = {}
    if kept.get("key") != key:
        start = time.monotonic()
        found = sensitivity.losses(
            space, tuned, data, settings.steps, lambda done, total: progress("sensitivity", done, total)
        )
        count = 1 + len(list(space.single_changes()))
        seconds = (time.monotonic() - start) / (count * max(settings.steps, 1))
        kept = {"key": key, "step_seconds": seconds, **dataclasses.asdict(found)}
        write_whole(where, json.dumps(kept, indent=2) + "\n")
    found = sensitivity.Losses(tuple(kept["weights"]), tuple(kept["activations"]), kept["still"])
    return found, float(kept["step_seconds"])


def _key(space: Space, tuned: Recipe, *rest: object) -> str:
    """The digest of what the kept results depend on."""
    content = [to_table(tuned), space.weights, space.activations, [repr(thing) for thing in rest]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class _Graphs:
    """Lowers mixtures that start from the trained base, without fine-tuning."""

    def __init__(self, space: Space, tuned: Recipe, data: Data) -> None:
        few = sensitivity.SETTLES * sensitivity.SETTLE
        split = (data.train[0][:few], data.train[1][:few])
        self.data = dataclasses.replace(data, train=split)
        self.space = dataclasses.replace(space, recipe=dataclasses.replace(tuned, teacher=None, distill=0.0))

    def __call__(self, mixture: Mixture) -> Graph:
        trainer = Trainer(self.space.recipe_of(mixture), self.data)
        sensitivity.settled(trainer)
        model, example = trainer.model.eval(), to_tensor(self.data.validation[0][:2], trainer.shape)
        try:
            return self._lowered(model, example)
        except BoundExceeded:
            fit_bounds(model, example, input_type=self.data.input_type)
            return self._lowered(model, example)

    def _lowered(self, model: nn.Module, example: Tensor) -> Graph:
        return lower(model, example, name="layers", input_type=self.data.input_type, check=False)


def _rows(card: dict[str, Any], file: Path, data: Data, settings: Settings) -> list[Row]:
    kinds = card["recipe"]["model"]
    what = {
        "network": card["name"],
        "weights": kinds.get("weights"),
        "activations": kinds.get("activations"),
        "validation": card["validation_accuracy"],
        "accuracy": card["test_accuracy"],
        "core": settings.core,
        "file": str(file),
    }
    found = measure.rows(load(file), settings.core, data.validation[0], settings.goals, settings.options)
    return [{**what, **row} for row in found]
