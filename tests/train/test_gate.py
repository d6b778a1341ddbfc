"""A zoo network is trained again, on part of its data, and must pass a gate."""

from __future__ import annotations

import dataclasses

import pytest

pytest.importorskip("torch")

from edgeternary.errors import EdgeTernaryError
from edgeternary.train import Data, find_recipe, run
from tests.need import REQUIRED

pytestmark = [pytest.mark.torch, pytest.mark.slow]
GATE = 0.75  # of the integer graph after one epoch; the whole training gives about 0.90


def part() -> Data:
    """20,000 training images, 1,000 for validation, 2,000 test images."""
    try:
        data = find_recipe("zoo:fashion-cnn").data()
    except EdgeTernaryError as error:
        if REQUIRED:
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    cut = zip((data.train, data.validation, data.test), (20_000, 1_000, 2_000))
    train, validation, test = ((x[:n], y[:n]) for (x, y), n in cut)
    return dataclasses.replace(data, train=train, validation=validation, test=test)


def test_a_zoo_network_trains_again(tmp_path):
    data = part()
    recipe = dataclasses.replace(find_recipe("zoo:fashion-cnn"), epochs=1, data=lambda: data)
    card = run(recipe, tmp_path).card
    assert card["test_accuracy"] >= GATE and card["test_samples"] == 2_000
    assert card["mismatches_torch"] == 0 and card["train_eval_agreement"] >= 0.999
