"""Adds runs of a model's recipe with other seeds to its card, under "runs".

    python -m edgeternary.zoo.seeds NAME FOLDER ...

`edgeternary train zoo:NAME --seeds 1,2 -o FOLDER` writes cards NAME.json into FOLDER and folders below it.
The runs must have the recipe of the model that ships; others are refused.
"""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError

Card = Mapping[str, Any]
KEPT = ("seed", "test_accuracy", "validation_accuracy", "float_accuracy")


def runs_of(card: Card) -> list[dict[str, Any]]:
    """{"seed", "test_accuracy", "validation_accuracy", "float_accuracy"} of each run, ordered by seed.

    The run that ships is among them.
    """
    shipped = {key: card.get(key) for key in KEPT}
    return sorted([shipped, *card.get("runs", ())], key=lambda run: run["seed"])


def spread_of(card: Card) -> dict[str, Any]:
    """{"seeds", "mean_accuracy", "spread"}; spread is the standard deviation (n - 1).

    mean_accuracy and spread are None for a single run.
    """
    found = [run["test_accuracy"] for run in runs_of(card)]
    several = len(found) > 1
    return {
        "seeds": len(found),
        "mean_accuracy": statistics.fmean(found) if several else None,
        "spread": statistics.stdev(found) if several else None,
    }


def recipe_of(card: Card) -> dict[str, Any]:
    """The recipe of a card without the seed, and without the shape, which a run may have found by trying."""
    recipe: dict[str, Any] = json.loads(json.dumps(card["recipe"]))
    recipe.pop("shape", None)
    recipe["train"].pop("seed", None)
    return recipe


def add_runs(name: str, folders: Sequence[Path]) -> int:
    """Adds the runs in `folders` to the card of `name`, and returns the number of its runs.

    EdgeTernaryError if there are none, or if one has another recipe.
    """
    card = zoo.card(name)
    runs = {run["seed"]: run for run in card.get("runs", ())}
    paths = [path for folder in folders for path in sorted(folder.rglob(f"{name}.json"))]
    for path in paths:
        other = json.loads(path.read_text())
        if recipe_of(other) != recipe_of(card):
            raise EdgeTernaryError(
                f"{path} is not a run of zoo:{name}", "its recipe differs", f"edgeternary train zoo:{name}"
            )
        if other["seed"] != card["seed"]:
            runs[other["seed"]] = {key: other.get(key) for key in KEPT}
        elif other["float_accuracy"] is not None:  # a repetition of the shipped run
            card["float_accuracy"] = other["float_accuracy"]
    if not paths:
        raise EdgeTernaryError(
            f"there is no {name}.json below {', '.join(map(str, folders))}",
            "each run has such a card",
            f"edgeternary train zoo:{name} --seeds 1,2 -o FOLDER",
        )
    card["runs"] = [runs[seed] for seed in sorted(runs)]
    zoo.file(name, "json").write_text(json.dumps(card, indent=2) + "\n")
    return len(runs_of(card))


if __name__ == "__main__":
    print(sys.argv[1], add_runs(sys.argv[1], list(map(Path, sys.argv[2:]))), "runs")
