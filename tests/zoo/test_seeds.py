"""Runs of a recipe with other seeds in a model's card."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from edgeternary.zoo.seeds import add_runs, runs_of, spread_of

NAME = "basic-motions"


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The card of a copy of the zoo, without runs."""
    monkeypatch.setattr(zoo, "NETS", tmp_path / "nets")
    (tmp_path / "nets").mkdir()
    content = {**json.loads((zoo.FOLDER / "nets" / f"{NAME}.json").read_text()), "seed": 0, "runs": []}
    (zoo.NETS / f"{NAME}.json").write_text(json.dumps(content))
    (zoo.NETS / f"{NAME}.et").write_bytes(b"")
    yield content


def run(card: dict[str, Any], folder: Path, seed: int, accuracy: float, lr: float | None = None) -> None:
    other = json.loads(json.dumps(card)) | {"seed": seed, "test_accuracy": accuracy}
    other["recipe"]["train"]["seed"] = seed
    if lr:
        other["recipe"]["train"]["lr"] = lr
    folder.mkdir(parents=True)
    (folder / f"{NAME}.json").write_text(json.dumps(other))


def test_runs_are_added_once_and_by_seed(card: dict[str, Any], tmp_path: Path) -> None:
    run(card, tmp_path / "runs" / "b", 2, 0.9)
    run(card, tmp_path / "runs" / "a", 1, 0.95)
    for _ in range(2):
        assert add_runs(NAME, [tmp_path / "runs"]) == 3
    found = zoo.card(NAME)
    assert [r["seed"] for r in runs_of(found)] == [0, 1, 2]
    accuracies = [card["test_accuracy"], 0.95, 0.9]
    assert spread_of(found) == {
        "seeds": 3, "mean_accuracy": statistics.fmean(accuracies), "spread": statistics.stdev(accuracies),
    }  # fmt: skip


def test_another_recipe_is_refused(card: dict[str, Any], tmp_path: Path) -> None:
    run(card, tmp_path / "runs", 1, 0.9, lr=0.5)
    with pytest.raises(EdgeTernaryError, match="its recipe differs"):
        add_runs(NAME, [tmp_path / "runs"])
    with pytest.raises(EdgeTernaryError, match=r"no basic-motions\.json below"):
        add_runs(NAME, [tmp_path / "nothing"])
    assert zoo.card(NAME) == card


@pytest.mark.parametrize("name", zoo.names())
def test_seeds_of_a_card_differ(name: str) -> None:
    seeds = [r["seed"] for r in runs_of(zoo.card(name))]
    assert len(set(seeds)) == len(seeds)
