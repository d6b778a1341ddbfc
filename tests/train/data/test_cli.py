"""edgeternary data, and the table of data sets."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary.cli import call as run
from edgeternary.train import data
from tests.train.data.made_up import mnist_files

pytestmark = pytest.mark.torch


def test_the_list_names_every_data_set_and_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EDGETERNARY_MNIST", str(mnist_files(tmp_path)))
    monkeypatch.setenv("EDGETERNARY_KEYWORDS", str(tmp_path / "none.npz"))
    assert run(["data", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == [*data.DATASETS, *data.TEXTS]
    assert rows["mnist"]["path"] == str(tmp_path) and rows["synthetic-keywords"]["path"] is None
    assert run(["data"]) == 0
    assert "edgeternary data keywords" in capsys.readouterr().out


def test_keywords_that_are_there_are_not_made_again(tmp_path, monkeypatch, capsys):
    x, y = np.zeros((3, 49, 10, 1), np.uint8), np.arange(3)
    parts = {
        f"{axis}_{part}": a for part in ("train", "validation", "test") for axis, a in (("x", x), ("y", y))
    }
    np.savez(tmp_path / "k.npz", **parts)
    monkeypatch.setenv("EDGETERNARY_KEYWORDS", str(tmp_path / "k.npz"))
    assert run(["data", "keywords"]) == 0
    assert "3 + 3 + 3 samples" in capsys.readouterr().err
    assert run(["data", "nonsense"]) == 2


def test_the_samples_of_a_recipe_are_written_for_inputs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("EDGETERNARY_MNIST", str(mnist_files(tmp_path)))
    path, recipe = tmp_path / "held.npz", tmp_path / "r.toml"
    recipe.write_text(
        'name = "r"\ndata = { name = "mnist", validation = 2 }\nshape = [6]\n'
        '[model]\nbuild = "mlp"\nwidths = [6, 4, 10]\n'
    )
    assert run(["data", str(recipe), "--part", "validation", "-o", str(path), "--json"]) == 0
    made = data.mnist(validation=2)
    assert json.loads(capsys.readouterr().out)["samples"] == 2
    with np.load(path) as found:
        np.testing.assert_array_equal(found["inputs"], made.validation[0].reshape(2, -1))
        np.testing.assert_array_equal(found["labels"], made.validation[1])
    assert run(["data", str(recipe)]) == 2
    assert run(["data", "keywords", "-o", str(path)]) == 2
    assert run(["data", "-o", str(path)]) == 2
