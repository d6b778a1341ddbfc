"""Table networks by recipe: training, resuming, starting from a trained one, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.run import run as execute  # noqa: E402
from edgeternary.train import run  # noqa: E402
from edgeternary.train.recipe import Recipe  # noqa: E402
from edgeternary.train.sources import Build  # noqa: E402
from edgeternary.train.start import start_from  # noqa: E402
from tests.train.stripes import recipe as stripes  # noqa: E402

pytestmark = pytest.mark.torch
FLAT = {"widths": [20], "inputs": 36, "classes": 2, "thresholds": [100], "fan_in": 4}
MAP = {
    "widths": [], "inputs": 1, "classes": 2, "thresholds": 2, "size": 6, "trees": [[8, 3, 1, 2, 2]],
    "fan_in": [3], "surrogate": "multilinear",
}  # fmt: skip


def recipe(arguments: dict[str, object], shape: tuple[int, ...]) -> Recipe:
    return dataclasses.replace(
        stripes(), name="tables", model=Build("tables", arguments), shape=shape, optimizer="adam", lr=2e-2,
        epochs=15, batch=32, cost={},
    )  # fmt: skip


@pytest.mark.parametrize(("arguments", "shape"), [(FLAT, (36,)), (MAP, (1, 6, 6))])
def test_a_recipe_trains_and_repeats(
    arguments: dict[str, object], shape: tuple[int, ...], tmp_path: Path
) -> None:
    outcomes = [run(recipe(arguments, shape), tmp_path / str(turn)) for turn in range(2)]
    first, second = (outcome.graph for outcome in outcomes)
    x = np.random.default_rng(0).integers(0, 256, (50, *first.input.shape)).astype(np.int32)
    np.testing.assert_array_equal(execute(first, x).outputs, execute(second, x).outputs)
    assert outcomes[0].card["test_accuracy"] > 0.75
    assert outcomes[0].card["mismatches_torch"] == 0


def test_the_price_of_tables_is_a_recipes(tmp_path: Path) -> None:
    costly = dataclasses.replace(
        recipe({**FLAT, "thresholds": [64, 128]}, (36,)), cost={"price": "tables", "weight": 1e4}
    )
    graph = run(costly, tmp_path).graph
    (op,) = [op for op in graph.ops if op.kind == "compare"]
    assert set(op.t.tolist()) == {128}


def test_a_training_starts_from_tables(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trained, model = Build("tables", FLAT)(), Build("tables", FLAT)()
    q.save_codes(trained, tmp_path / "net.safetensors")
    trained = q.load_codes(Build("tables", FLAT)(), tmp_path / "net.safetensors")
    x = torch.randint(0, 256, (9, 36)).float()
    start_from(model, trained, x)
    assert torch.equal(model.eval()(x), trained(x))
    assert not model.tables1.scores.requires_grad
    other = Build("tables", {**FLAT, "widths": [22]})()
    with pytest.raises(EdgeTernaryError, match="no layer tables1 of this size"):
        start_from(other, trained, x)
