"""For your own project: the model gives the same bits everywhere. Run it with pytest.

The executors come from pip: pip install ".[mcu,fpga]" pytest, in a checkout of edgeternary
"""

from __future__ import annotations

import pytest

import edgeternary
from edgeternary.testing import assert_bit_exact


@pytest.mark.parametrize("executor", ["host", "cortex-m0plus", "cortex-m4"])
def test_the_same_bits_everywhere(executor: str) -> None:
    graph = edgeternary.zoo.load("fashion-mlp")  # yours: edgeternary.load("models/net.et")
    images, _ = edgeternary.zoo.images("fashion-mlp")  # yours: np.load("tests/images.npy")
    assert_bit_exact(graph, on=[executor], inputs=images[:20])
