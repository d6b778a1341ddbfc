"""The search for kinds by layer: its parts, and a search of a toy data set from the command line."""

from __future__ import annotations

import itertools
import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from edgeternary import zoo
from edgeternary.cli import call as command_line
from edgeternary.errors import EdgeTernaryError
from edgeternary.run import run as execute
from edgeternary.train import find_recipe, from_table, processes
from edgeternary.train import run as train
from edgeternary.train.search import choose
from edgeternary.train.search.costs import keys_of, mixtures, spread
from edgeternary.train.search.goals import Goals
from edgeternary.train.search.knapsack import Option, front, solve
from edgeternary.train.search.measure import mark_front
from edgeternary.train.search.parts import parts
from edgeternary.train.search.plot import front_plot
from edgeternary.train.search.sensitivity import Losses
from edgeternary.train.search.space import Mixture, space_of
from tests.need import need
from tests.train.stripes import RECIPE

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]
BASE = Mixture((8, 8, 8, 8), (8, 8, 8))


def drawn(rng: np.random.Generator, layers: int) -> list[list[Option]]:
    """Layers of random options between two kinds of activations."""
    found = []
    for i in range(layers):
        reads = [None] if i == 0 else [2, 8]
        gives = [None] if i == layers - 1 else [2, 8]
        figures = lambda: (int(v) for v in rng.integers(1, 12, 3))  # noqa: E731
        found.append([Option(r, g, *figures(), what=k) for r in reads for g in gives for k in range(3)])
    return found


@pytest.mark.parametrize("seed", range(8))
def test_the_knapsack_finds_what_brute_force_finds(seed):
    layers = drawn(np.random.default_rng(seed), 4)
    sums = set()
    for options in itertools.product(*layers):
        if all(a.gives == b.reads for a, b in itertools.pairwise(options)):
            sums.add(tuple(sum(getattr(o, key) for o in options) for key in ("loss", "cycles", "flash")))
    best = {
        s for s in sums if not any(t != s and all(a <= b for a, b in zip(t, s, strict=True)) for t in sums)
    }
    found = solve(layers, grain=0)
    assert {(c.loss, c.cycles, c.flash) for c in found} == best and len(found) == len(best)
    for choice in found:
        assert choice.loss == sum(option.loss for option in choice.options)
        assert all(a.gives == b.reads for a, b in itertools.pairwise(choice.options))
    coarse = solve(layers, grain=0.3)
    assert {(c.loss, c.cycles, c.flash) for c in coarse} <= sums and min(c.loss for c in coarse) == min(best)[
        0
    ]


def test_a_front_keeps_what_nothing_beats():
    labels = [(1, 5, 5), (1, 5, 5), (2, 4, 6), (2, 6, 4), (3, 5, 5), (3, 4, 6), (4, 3, 3), (5, 3, 3)]
    assert front(labels) == [(1, 5, 5), (2, 4, 6), (2, 6, 4), (4, 3, 3)]
    rows = [
        {"validation": v, "cycles": c, "flash_bytes": f}
        for v, c, f in [(0.9, 5, 5), (0.8, 5, 6), (0.8, 4, 9)]
    ]
    mark_front(rows)
    assert [row["front"] for row in rows] == [True, False, True]


def test_a_graph_is_cut_into_its_layers():
    graph = zoo.load("fashion-cnn-int8")
    cut = parts(graph)
    assert [part.ops[0].name for part in cut] == ["conv1", "conv2", "conv3", "fc"]
    assert [op.name for part in cut for op in part.ops] == [op.name for op in graph.ops]
    images, _ = zoo.images("fashion-cnn-int8")
    x = images[:20]
    for part in cut:
        x = execute(part, x.reshape(20, *part.input.shape), on="numpy").outputs
    np.testing.assert_array_equal(x, execute(graph, images[:20], on="numpy").outputs)
    with pytest.raises(EdgeTernaryError, match="is not a chain of layers"):
        parts(zoo.load("fashion-resnet8"))


def test_a_space_names_layers_and_kinds():
    space = space_of(find_recipe("zoo:fashion-cnn-int8"), ("ternary", "3", "8"), ("4",))
    assert space.layers == ("conv1", "conv2", "conv3", "fc") and space.acts == ("act1", "act2", "act3")
    assert space.base == BASE and space.activations[0] == (4, 8)
    assert space.weights[0] == ("ternary", "lsq3_channel", 8) and space.weights[3] == ("ternary", "lsq3", 8)
    mixture = BASE.replaced("weights", 1, "ternary").replaced("activations", 2, 4)
    assert mixture.short() == "8-t-8-8/8-8-4" and len(list(space.single_changes())) == 11
    model = space.recipe_of(mixture).model()
    assert model.conv2.weight_kind == "ternary" and model.act3.levels.hi == 15
    seen = {key for mixture in mixtures(space) for key in keys_of(mixture)}
    pairs = {(i, w, a, b) for i in (1, 2) for w in space.weights[i] for a in (4, 8) for b in (4, 8)}
    ends = {(0, w, None, a) for w in space.weights[0] for a in (4, 8)}
    assert seen == pairs | ends | {(3, w, a, None) for w in space.weights[3] for a in (4, 8)}
    keywords = space_of(find_recipe("zoo:keywords-ds-cnn-int8"))
    assert len(keywords.layers) == 10 and keywords.acts[:3] == ("act", "act1a", "act1b")


@pytest.mark.parametrize(
    ("recipe", "kinds", "said"),
    [
        (RECIPE, {}, "cannot be searched.*function of Python"),
        (find_recipe("zoo:fashion-resnet8"), {}, "cannot be searched"),
        (find_recipe("zoo:fashion-cnn-int8"), {"weights": ("9",)}, "--weight-kinds has '9'"),
        (find_recipe("zoo:fashion-cnn-int8"), {"activations": ("x",)}, "--activation-kinds has 'x'"),
    ],
)
def test_what_cannot_be_searched_is_refused(recipe, kinds, said):
    with pytest.raises(EdgeTernaryError, match=said) as error:
        space_of(recipe, **kinds)
    assert error.value.code == 2


def example() -> tuple[dict, Losses]:
    """Costs of two layers: fewer bits are faster, smaller and worse; each has a second, slower plan."""
    table = {}
    for at, kind in itertools.product((0, 1), ("ternary", 4, 8)):
        cost = {"ternary": 1, 4: 2, 8: 4}[kind] * (100 + 50 * at)
        reads, gives = ((None, 8), (8, None))[at]
        table[at, kind, reads, gives] = [(cost, cost * 2), (cost * 3, cost)]
    weights = ({"8": 0.0, "4": 0.01, "ternary": 0.05}, {"8": 0.0, "4": 0.002, "ternary": 0.02})
    return table, Losses(weights, ({"8": 0.0},), still=0.01)


def test_mixtures_are_chosen_within_the_goals_and_spread_over_the_losses():
    table, losses = example()
    found, base = choose.choices(table, losses), Mixture((8, 8), (8,))
    assert losses.of(Mixture((4, "ternary"), (8,))) == pytest.approx(0.03)
    chosen = choose.choose(found, Goals(), 4, base, losses.still)
    assert [mixture.short() for mixture in chosen] == ["8-4/8", "4-4/8", "4-t/8", "t-t/8"]
    small = choose.choose(found, Goals(max_flash=600), 2, base, losses.still)
    kept = [c for c in found if choose.mixture_of(c) in small and c.flash <= 600]
    assert {choose.mixture_of(c) for c in kept} == set(small)
    (nearest,) = choose.choose(found, Goals(max_cycles=1, max_flash=1), 1, base, losses.still)
    assert nearest.short() == "t-t/8"


def test_goals_say_how_far_a_row_is_from_them():
    goals = Goals(max_cycles=100, max_flash=1000, min_accuracy=0.9)
    assert goals.excess(100, 1000, 0.9) == 0 and goals.excess(200, 900, 0.95) == pytest.approx(np.log(2))
    row = {"cycles": 200, "flash_bytes": 2000, "validation": 0.8}
    assert len(goals.misses(row)) == 3 and not Goals().misses(row)
    assert spread([(i, 20 - i) for i in range(20)])[0] == (0, 20) and len(spread([(1, 1)] * 9)) == 6


TOML = """
name = "toy"
data = "tests.train.stripes:stripes"
[model]
build = "cnn"
channels = [4]
size = 6
classes = 2
weights = 8
activations = 8
[train]
epochs = 2
batch = 50
lr = 1e-2
"""


def train_here(runs, jobs, *, threads=0, progress=None):
    """processes.train_all without processes, which take seconds to start."""
    for run in runs:
        if run.card() is None:
            train(from_table(run.table), run.folder)


def test_a_search_of_a_toy_data_set(tmp_path, monkeypatch, capsys):
    """One kind to change, one network to train; the second call only measures what is there."""
    need("arm-none-eabi-gcc", "unicorn")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    monkeypatch.setattr(processes, "train_all", train_here)
    (tmp_path / "toy.toml").write_text(TOML)
    words = ["train", "toy.toml", "--search", "--core", "m4", "--points", "1", "--minutes", "90"]
    words += ["--weight-kinds", "ternary", "--activation-kinds", "8", "--compiler", "gcc"]
    assert command_line([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reached"] and found["best"]["mismatches"] == 0
    names = {row["network"] for row in found["rows"]}
    assert names > {"toy"} and len(names) == 2
    (name,) = names - {"toy"}
    folder = tmp_path / "toy.search" / name
    card = json.loads((folder / f"{name}.json").read_text())
    assert card["mismatches_torch"] == 0 and card["recipe"]["start"].endswith("toy.safetensors")
    assert find_recipe(str(folder / f"{name}.json")).model().fc.weight_kind in ("ternary", 8)
    plot = ET.fromstring((tmp_path / "toy.search/front.svg").read_text())
    assert len(plot.findall(".//{*}circle")) == 2 * len(found["rows"]) + 2
    assert command_line([*words, "--max-cycles", "10"]) == 5
    said = capsys.readouterr()
    assert "no network reaches the goals" in said.err and "at most 10 allowed" in said.err
    assert "nearest: toy" in said.out


def test_options_of_a_search_need_it(tmp_path, capsys):
    assert command_line(["train", "zoo:fashion-cnn-int8", "--max-cycles", "10"]) == 2
    assert "--max-cycles has no effect" in capsys.readouterr().err
    assert command_line(["train", "zoo:fashion-cnn-int8", "--search", "--core", "m4,m7"]) == 2
    assert command_line(["train", "zoo:fashion-cnn-int8", "--search", "--core", "avr"]) == 2


def test_a_plot_has_goals_and_rings():
    rows = [
        {"network": "a < b", "validation": 0.9, "cycles": 10**6, "flash_bytes": 30_000, "front": True},
        {"network": "c", "validation": 0.8, "cycles": 2 * 10**6, "flash_bytes": 40_000, "front": False},
    ]
    text = front_plot("a < b", rows, Goals(max_cycles=3e6, min_accuracy=0.85))
    plot = ET.fromstring(text)
    assert "a < b" in "".join(plot.itertext()) and text.count("stroke-dasharray") == 3
    assert text.count('fill="#ffffff"><title>') == 2
