"""The claims of the cards on whole test sets, all outputs: what `edgeternary zoo --check` does."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from tests.need import REQUIRED

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@cache
def whole_set(data_set: str) -> tuple[np.ndarray, np.ndarray]:
    """The whole test set; that of the keywords takes half a minute to make."""
    from edgeternary.zoo import check

    return check.full_test_set(next(name for name in zoo.names() if zoo.data_set(name) == data_set))


@pytest.mark.parametrize("name", zoo.names())
def test_every_test_sample(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from edgeternary.zoo import check

    try:
        samples, labels = whole_set(zoo.data_set(name))
    except EdgeTernaryError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))
    monkeypatch.setattr(check, "full_test_set", lambda _: (samples, labels))
    found, card = check.check(name), zoo.card(name)
    assert found["mismatches_torch"] == 0
    assert found["samples"] == card["test_samples"] == len(samples)
    assert round(found["accuracy"], 4) == card["test_accuracy"]
    shipped, classes = zoo.images(name)
    n = len(classes)
    np.testing.assert_array_equal(labels[:n], classes)
    assert sorted(samples[:n].reshape(n, -1).sum(1)) == sorted(shipped.reshape(n, -1).sum(1))
