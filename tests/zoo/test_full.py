"""The claims of the cards on whole test sets, all outputs: what `edgeternary zoo --check` does."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from tests.need import REQUIRED

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.mark.parametrize("name", zoo.names())
def test_every_test_sample(name: str) -> None:
    pytest.importorskip("torch")
    from edgeternary.zoo import check

    try:
        samples, labels = check.full_test_set(name)
    except EdgeTernaryError as error:
        if REQUIRED:
            raise
        pytest.skip(str(error))
    found, card = check.check(name), zoo.card(name)
    assert found["mismatches_torch"] == 0
    assert found["samples"] == card["test_samples"] == len(samples)
    assert round(found["accuracy"], 4) == card["test_accuracy"]
    shipped, classes = zoo.images(name)
    n = len(classes)
    np.testing.assert_array_equal(labels[:n], classes)
    assert sorted(samples[:n].reshape(n, -1).sum(1)) == sorted(shipped.reshape(n, -1).sum(1))
