"""The claims of the cards on whole test sets, all outputs: what `edgeternary zoo --check` does.

Of convolutional models every twentieth sample, of every second other one every fifth, of synthetic keywords
the first 240; EDGETERNARY_FULL=1 takes all.
"""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from tests.need import REQUIRED

FULL = bool(os.environ.get("EDGETERNARY_FULL"))
SMALL = 400_000  # multiply-accumulates
EACH = 20  # keywords of each class: the first of the test set, as those that ship are

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@cache
def samples_of(data_set: str) -> tuple[np.ndarray, np.ndarray]:
    """The test set; that of the keywords takes half a minute to make whole."""
    from edgeternary.train.data.keyword_sounds import make
    from edgeternary.zoo import check

    if data_set == "synthetic-keywords" and not FULL:
        return make("test", EACH)
    return check.full_test_set(next(name for name in zoo.names() if zoo.data_set(name) == data_set))


@pytest.mark.parametrize("name", zoo.names())
def test_every_test_sample(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from edgeternary.zoo import check

    try:
        samples, labels = samples_of(zoo.data_set(name))
    except EdgeTernaryError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))
    card = zoo.card(name)
    whole = len(samples) == card["test_samples"]
    assert whole or zoo.data_set(name) == "synthetic-keywords"
    every = 20 if card["macs"] > SMALL else (1, 5)[zoo.names().index(name) % 2]
    part = slice(None, None, every if whole and not FULL else 1)
    monkeypatch.setattr(check, "full_test_set", lambda _: (samples[part], labels[part]))
    found, claimed = check.check(name), card["test_accuracy"]
    assert found["mismatches_torch"] == 0 and found["samples"] == len(samples[part])
    if whole and part.step == 1:
        assert round(found["accuracy"], 4) == claimed
    else:
        assert abs(found["accuracy"] - claimed) <= 4 * (claimed * (1 - claimed) / found["samples"]) ** 0.5
    shipped, classes = zoo.images(name)
    n = min(len(classes), len(labels))
    shipped = shipped[:n]
    np.testing.assert_array_equal(labels[:n], classes[:n])
    assert sorted(samples[:n].reshape(n, -1).sum(1)) == sorted(shipped.reshape(n, -1).sum(1))
