"""A sweep runs one recipe with each combination of some of its values. Each run has its own process.

A [sweep] table holds dotted keys of the recipe. A list is an axis; any other value is used in every run:

    [sweep]
    model.surrogate = ["identity", "clipped"]
    train.seed = [0, 1, 2]
    epochs = 6                                  # a key without a dot belongs to [train]
"""

import copy
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train.recipe import Recipe
from edgeternary.train.toml import TRAIN, from_table, to_table

SEED = "train.seed"
MOST_RUNS = 1000


@dataclass(frozen=True)
class Run:
    """One combination: the value of each axis, the recipe's table and the folder for its files."""

    values: dict[str, Any]
    table: dict[str, Any]
    folder: Path

    def card(self) -> dict[str, Any] | None:
        """The card, if the folder holds a training of exactly this recipe; else None."""
        try:
            card: dict[str, Any] = json.loads((self.folder / f"{self.table['name']}.json").read_text())
        except (OSError, ValueError):
            return None
        found = {key: value for key, value in card.get("recipe", {}).items() if key != "shape"}
        wanted = {key: value for key, value in self.table.items() if key != "shape"}
        return card if found == json.loads(json.dumps(wanted)) else None


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys. A key of [train] without a dot gets its section."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found.update(flat(value, f"{path}."))
        else:
            found[f"train.{path}" if path in TRAIN else path] = value
    return found


def axes_of(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The axes of a [sweep] table. A fixed value is an axis with one value."""
    axes = {key: value if isinstance(value, list) else [value] for key, value in flat(table).items()}
    for key, values in axes.items():
        if not values or any(value in values[:i] for i, value in enumerate(values)):
            raise EdgeTernaryError(
                f"[sweep] {key} = {values}", "the list is empty or has a value twice", code=USAGE
            )
    return axes


def plan(recipe: Recipe, axes: Mapping[str, Sequence[Any]], folder: Path) -> list[Run]:
    """A run for every combination; the last axis changes fastest. Every recipe is checked before any run."""
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MOST_RUNS:
        raise EdgeTernaryError(
            f"the sweep has {count:,} runs", f"at most {MOST_RUNS:,} are allowed", code=USAGE
        )
    varied = [key for key, values in axes.items() if len(values) > 1]
    runs = []
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination, strict=True))
        table = to_table(recipe)
        for key, value in chosen.items():
            put(table, key, value)
        shown = {key: chosen[key] for key in varied or list(axes)[:1]}
        where = f"[sweep] {', '.join(f'{key} = {value}' for key, value in chosen.items())}"
        runs.append(Run(shown, to_table(from_table(table, where)), folder / slug(shown)))
    if len({run.folder for run in runs}) < len(runs):
        raise EdgeTernaryError(
            "two runs of the sweep would share a folder", "their values give the same folder name", code=USAGE
        )
    return runs


def put(table: dict[str, Any], key: str, value: Any) -> None:
    """Sets table["a"]["b"] for the key "a.b"."""
    *sections, last = key.split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise EdgeTernaryError(f"[sweep] {key}", f"{section} is not a section of the recipe", code=USAGE)
    table[last] = copy.deepcopy(value)


def slug(values: Mapping[str, Any]) -> str:
    """A folder name: the last part of each key, and its value."""
    words = [f"{key.rpartition('.')[2]}={json.dumps(value)}" for key, value in values.items()]
    return re.sub(r"[^\w=.,+-]+", "_", ",".join(words).replace('"', "")) or "run"
