"""Recipe files: what they say, and the errors that name the nearest known key."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train import Augment, Stage, find_recipe, from_table, to_table
from edgeternary.train.sources import Source
from edgeternary.train.toml import read, zoo_recipes
from tests.train.stripes import TOML, stripes

pytestmark = pytest.mark.torch

FULL = (
    TOML
    + """
optimizer = "sgd"
precision = "bfloat16"
patience = 4
[optimizer]
momentum = 0.8
[augment]
flip = true
shift = 2
[distill]
teacher = "zoo:fashion-cnn"
weight = 0.7
[sparsity]
target = 0.7
[cost]
price = "macs"
[anneal]
progress = [0, 1]
[[stages]]
epochs = 1
weights = "float"
[[stages]]
lr = 1e-3
"""
)


def test_a_file_says_what_the_class_says(tmp_path):
    (tmp_path / "r.toml").write_text(FULL)
    recipe = find_recipe(str(tmp_path / "r.toml"))
    assert (recipe.name, recipe.epochs, recipe.batch, recipe.lr) == ("stripes", 6, 50, 1e-2)
    assert recipe.augment == Augment(flip=True, shift=2) and recipe.optimizer_options == {"momentum": 0.8}
    assert recipe.stages == (Stage({"epochs": 1}, "float"), Stage({"lr": 1e-3}))
    assert (recipe.distill, recipe.sparsity, recipe.patience) == (0.7, {"target": 0.7}, 4)
    assert recipe.data().name == stripes().name and recipe.model()[3].levels.name == "uint2"


def test_a_recipe_survives_the_way_through_its_table(tmp_path):
    (tmp_path / "r.toml").write_text(FULL)
    recipe = find_recipe(str(tmp_path / "r.toml"))
    table = json.loads(json.dumps(to_table(recipe)))
    assert to_table(from_table(table)) == to_table(recipe)
    (tmp_path / "card.json").write_text(json.dumps({"test_accuracy": 1.0, "recipe": table}))
    assert to_table(find_recipe(str(tmp_path / "card.json"))) == to_table(recipe)


def test_teachers_survive_it_too(tmp_path):
    teachers = '["zoo:fashion-cnn", "zoo:fashion-cnn-4bit"]'
    (tmp_path / "r.toml").write_text(FULL.replace('"zoo:fashion-cnn"', teachers))
    table = to_table(find_recipe(str(tmp_path / "r.toml")))
    assert table["distill"]["teacher"] == json.loads(teachers)
    assert to_table(from_table(json.loads(json.dumps(table)))) == table


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs = 6", "epoch = 6", r"\[train\].*'epoch'.*did you mean 'epochs'"),
        ("[train]", "[trian]", "'trian'.*did you mean 'train'"),
        ("activations = 2", "activation = 2", "'activation'.*did you mean 'activations'"),
        ('build = "tests.train.stripes:model"\nactivations = 2', 'build = "cn"', "'cn'.*did you mean 'cnn'"),
        (
            '"tests.train.stripes:model"',
            '"tests.train.stripes:modle"',
            "no model 'tests.train.stripes:modle'",
        ),
        ('"tests.train.stripes:stripes"', '"fashon-mnist"', "'fashon-mnist'.*did you mean 'fashion-mnist'"),
        (
            '"tests.train.stripes:stripes"',
            '"tests.train:stripes"',
            "is a module there, which cannot be called",
        ),
        ("[train]", "[augment]\nflipp = true\n[train]", "'flipp'.*did you mean 'flip'"),
        ("[train]", "[sparsity]\ngoal = 0.7\n[train]", "'goal'.*known are: target"),
        ("[train]", "[sparsity]\nstart = 0.7\n[train]", "has no key 'target'"),
        ("[train]", "[distill]\nweight = 1.0\n[train]", "has no key 'teacher'"),
        ("[train]", "[[stages]]\nseed = 1\n[train]", r"\[\[stages\]\].*'seed'"),
        ("[train]", "[[stages]]\nweights = 'floats'\n[train]", "'floats'.*did you mean 'float'"),
        ("epochs = 6", 'epochs = "six"', r"train.epochs = 'six'.*Expected `int`, got `str`"),
        ("epochs = 6", "epochs = 0", "train.epochs = 0.*at least 1"),
        ("lr = 1e-2", "lr = nan", "train.lr = nan.*at least 0"),
        ("lr = 1e-2", 'precision = "bfloat"', "'bfloat'.*did you mean 'bfloat16'"),
        ("lr = 1e-2", 'optimizer = "adamv"', "'adamv'.*did you mean 'adam"),
        ('name = "stripes"', 'name = "../up"', "it becomes a file name"),
        ('name = "stripes"', "", "key 'name' is missing"),
        ("[model]", "[model", "is not TOML"),
    ],
)
def test_mistakes_are_named_with_what_was_meant(tmp_path, old, new, said):
    path = tmp_path / "r.toml"
    assert old in TOML
    path.write_text(TOML.replace(old, new))
    with pytest.raises(EdgeTernaryError, match=f"(?s){said}") as caught:
        read(path)
    assert caught.value.code == USAGE and str(path) in caught.value.what


def test_a_function_that_does_not_tell_its_arguments():
    with pytest.raises(EdgeTernaryError, match=r"'builtins:range' cannot be loaded.*TypeError"):
        Source("builtins:range")()


def test_recipes_are_found_by_name(tmp_path):
    assert {"fashion-mlp", "fashion-cnn"} <= set(zoo_recipes())
    for name in zoo_recipes():
        assert find_recipe(f"zoo:{name}").name == name
    nowhere = ("zoo:nothing", "zoo:../../secret", "edgeternary.zoo:card2", "no.such.module", "")
    for text in nowhere:
        with pytest.raises(EdgeTernaryError, match="there is no recipe") as caught:
            find_recipe(text)
        assert caught.value.code == USAGE
    with pytest.raises(EdgeTernaryError, match="cannot read"):
        find_recipe(str(tmp_path / "none.toml"))


def test_the_shipped_recipes_can_be_written_as_tables():
    for name in zoo_recipes():
        recipe = find_recipe(f"zoo:{name}")
        assert to_table(from_table(to_table(recipe))) == to_table(recipe)
