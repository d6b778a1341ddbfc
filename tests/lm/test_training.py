"""Training on a text that repeats itself: bits fall, the graph measures the same, references train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.frontends.torch_lm import lower_lm
from edgeternary.train.data import king_james
from edgeternary.train.data.king_james import Text, split
from edgeternary.train.lm import bits_in_torch, bits_of_graph, encode, train_lm
from edgeternary.train.lm_checkpoint import LmCheckpoint
from edgeternary.train.lm_recipe import LmRecipe
from tests.full import FULL

pytestmark = pytest.mark.torch

LINE = "the quick brown fox jumps over the lazy dog\n"
TEXT = Text("fox", LINE * 60, LINE * 5, "".join(sorted(set(LINE))))
RECIPE = LmRecipe(width=32, layers=1, hidden=32, characters=60_000, batch=4, steps=44, rate=1e-2)


def test_a_model_learns_and_its_graph_is_as_good() -> None:
    told: list[float] = []
    model = train_lm(TEXT, RECIPE, lambda done, updates, bits: told.append(bits))
    assert len(told) == RECIPE.updates() and told[0] > 4 and told[-1] < 1
    codes = encode(TEXT.held_out, TEXT.symbols)
    graph = lower_lm(model, TEXT.symbols)
    exact = bits_of_graph(graph, codes, columns=4)
    assert exact < 2 and exact == pytest.approx(bits_in_torch(model, codes, columns=4, part=10), abs=1e-9)


def test_the_same_seed_gives_the_same_graph() -> None:
    recipe = LmRecipe(width=16, layers=1, hidden=16, characters=3000, batch=2, steps=20)
    first, again = (train_lm(TEXT, recipe) for _ in range(2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


@pytest.mark.parametrize("stopped", [30, *([1, 51] * FULL)])
def test_a_stopped_training_goes_on_to_the_same_model(tmp_path: Path, stopped: int) -> None:
    recipe = LmRecipe(width=16, layers=1, hidden=16, characters=3000, batch=2, steps=20)
    expected = train_lm(TEXT, recipe).state_dict()

    def stop(done: int, updates: int, bits: float) -> None:
        if done == stopped:
            raise KeyboardInterrupt

    path = tmp_path / "part"
    with pytest.raises(KeyboardInterrupt):
        train_lm(TEXT, recipe, stop, LmCheckpoint(path, seconds=0))
    found = train_lm(TEXT, recipe, None, LmCheckpoint(path)).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())
    with pytest.raises(EdgeTernaryError, match="differs in rate, seed"):
        train_lm(TEXT, replace(recipe, seed=1, rate=0.1), None, LmCheckpoint(path))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(EdgeTernaryError, match="not a checkpoint"):
        train_lm(TEXT, recipe, None, LmCheckpoint(path))


@pytest.mark.parametrize("weights", ["int8", "float"])
def test_references_of_other_weights(weights: str) -> None:
    recipe = LmRecipe(16, 1, 16, weights, 4000, 2, 20)
    model = train_lm(TEXT, recipe)
    assert np.isfinite(bits_in_torch(model, encode(TEXT.held_out, TEXT.symbols), columns=2))


def test_texts_that_do_not_do() -> None:
    with pytest.raises(EdgeTernaryError, match="too short"):
        train_lm(Text("short", "ab" * 9, "ab", "ab"), RECIPE)
    with pytest.raises(EdgeTernaryError, match="'z'"):
        encode("az", "ab")


def printed(chapters: int) -> str:
    return "".join(f"\nBook {i}\n\n  1 In {i}: one.\n  2 Two.\n" for i in range(1, chapters + 1))


def test_chapters_are_held_out_whole() -> None:
    text = split(printed(1189))
    assert text.held_out.startswith("In 20: one.\nTwo.\nIn 40") and "In 20:" not in text.train
    assert text.train.startswith("In 1: one.\nTwo.\nIn 2:")


def test_the_end_is_held_out() -> None:
    text, chapters = split(printed(1189), at_end=True), split(printed(1189))
    whole = len(text.train) + len(text.held_out)
    assert whole == len(chapters.train) + len(chapters.held_out) and len(text.held_out) == whole // 20
    assert text.train.startswith("In 1: one.") and text.held_out.endswith("In 1189: one.\nTwo.\n")
    with pytest.raises(EdgeTernaryError, match="chapters or end"):
        king_james("middle")
    with pytest.raises(EdgeTernaryError, match="1188 chapters"):
        split(printed(1188))


def test_without_the_text_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(EdgeTernaryError, match="apt install bible-kjv bible-kjv-text") as caught:
        king_james()
    assert caught.value.code == TOOL_MISSING
