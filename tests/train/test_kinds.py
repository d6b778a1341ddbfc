"""Quantisers by layer in recipes, and trainings that start from a trained network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edgeternary import nn as q  # noqa: E402
from edgeternary.errors import EdgeTernaryError  # noqa: E402
from edgeternary.nn.levels import levels  # noqa: E402
from edgeternary.run import run as execute  # noqa: E402
from edgeternary.train import Recipe, from_table, run, to_table  # noqa: E402
from edgeternary.train.kinds import by_layer  # noqa: E402
from edgeternary.train.models import FAMILIES  # noqa: E402
from edgeternary.train.sources import Build  # noqa: E402
from edgeternary.train.start import start_from  # noqa: E402
from tests.train.stripes import stripes  # noqa: E402

pytestmark = pytest.mark.torch
SHAPE = {"channels": [4, 6], "size": 6, "classes": 2, "pools": [1, 2]}


def recipe(**model: object) -> Recipe:
    return Recipe("mixed", Build("cnn", {**SHAPE, **model}), stripes, epochs=4, batch=50, lr=1e-2)


def test_kinds_are_one_a_list_or_a_table():
    names = ["conv1", "conv2", "fc"]
    assert by_layer("ternary", names, "weights") == ["ternary"] * 3
    assert by_layer([8, "ternary", 4], names, "weights") == [8, "ternary", 4]
    assert by_layer({"fc": 8, "default": 3}, names, "weights") == [3, 3, 8]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([8, 8], r"2 entries.*3 layers.*conv1, conv2, fc"),
        ({"conv1": 8, "conv3": 8, "default": 4}, "'conv3'.*did you mean 'conv"),
        ({"conv1": 8}, r"no entry for conv2, fc.*default"),
        ([8, 8, 2.5], "weights of fc is 2.5"),
        ([8, 8, True], "weights of fc is True"),
    ],
)
def test_wrong_kinds_are_refused(kinds, said):
    with pytest.raises(EdgeTernaryError, match=said) as error:
        by_layer(kinds, ["conv1", "conv2", "fc"], "weights")
    assert error.value.code == 2
    with pytest.raises(EdgeTernaryError, match="weights"):
        Build("cnn", {**SHAPE, "weights": kinds})()


BUILDS = [
    ("mlp", {"widths": [36, 8, 6, 2], "weights": ["ternary", 3, 8], "activations": [2, 8]}),
    ("cnn", {**SHAPE, "hidden": [5], "weights": [8, "pow2_3", 4, "lsq3"], "activations": [8, "bipolar", 2]}),
    ("conv1d", {"inputs": 6, "length": 6, "classes": 2, "channels": [4, 5], "weights": ["binary", 4, 8],
                "activations": [8, 4]}),
    ("ds_cnn", {"channels": 4, "blocks": 1, "classes": 2, "weights": [8, "ternary", 4, 3],
                "activations": {"act1a": 8, "default": 2}}),
]  # fmt: skip


@pytest.mark.parametrize(("build", "arguments"), BUILDS, ids=[name for name, _ in BUILDS])
def test_each_family_takes_kinds_by_layer(build, arguments):
    model = FAMILIES[build](**arguments)
    kinds = [m.weight_kind for m in model.modules() if hasattr(m, "weight_kind")]
    assert kinds == arguments["weights"]
    found = [
        m.levels.hi for name, m in model.named_modules() if name.startswith("act") and name != "act_pool"
    ]
    given = arguments["activations"]
    given = given if isinstance(given, list) else [2, 8, 2]
    assert found == [levels(kind).hi for kind in given]


def test_a_mixed_recipe_survives_its_table_and_is_exact(tmp_path):
    mixed = recipe(weights={"conv1": 8, "conv2": "ternary", "fc": 4}, activations=[8, 2])
    assert to_table(from_table(to_table(replace(mixed, data=stripes)))) == to_table(mixed)
    outcome = run(mixed, tmp_path)
    assert outcome.card["mismatches_torch"] == 0 and outcome.card["test_accuracy"] > 0.8
    types = [op.weight_type for op in outcome.graph.ops if hasattr(op, "weight_type")]
    assert types == ["int8", "ternary", "int4"]
    model = q.load_codes(mixed.model(), tmp_path / "mixed.safetensors")
    images = stripes().test[0]
    answer = execute(outcome.graph, images, on="torch", options={"torch_model": model}).outputs
    np.testing.assert_array_equal(answer, execute(outcome.graph, images, on="host").outputs)


def test_a_training_starts_from_a_trained_network(tmp_path):
    base = run(recipe(weights=8, activations=8), tmp_path / "base")
    table = to_table(recipe(weights=["lsq4_channel", 8, "lsq4"], activations=[4, 8]))
    table = {**table, "start": str(tmp_path / "base/mixed.safetensors")}
    table["train"] = {**table["train"], "epochs": 1, "lr": 1e-6}
    outcome = run(from_table(table), tmp_path / "next")
    assert outcome.card["test_accuracy"] >= base.card["test_accuracy"] - 0.05
    assert outcome.card["recipe"]["start"] == table["start"] and outcome.card["mismatches_torch"] == 0
    with pytest.raises(EdgeTernaryError, match=r"cannot start.*no layer fc1"):
        start_from(Build("mlp", {"widths": [36, 4, 2]})(), recipe().model(), torch.zeros(2, 1, 6, 6))
    with pytest.raises(EdgeTernaryError, match="conv2"):
        start_from(Build("cnn", {**SHAPE, "channels": [4, 7]})(), recipe().model(), torch.zeros(2, 1, 6, 6))


def test_the_same_kinds_start_with_the_same_answers():
    torch.manual_seed(1)
    trained, x = recipe(weights="lsq4", activations=4).model(), torch.randint(0, 255, (40, 1, 6, 6)).float()
    trained.train()(x)
    other = recipe(weights="lsq4", activations=8).model()
    start_from(other, trained, x)
    share = (other.eval()(x).argmax(1) == trained.eval()(x).argmax(1)).double().mean()
    assert share >= 0.7
