"""The overflow proof: exact at the border, by layer name."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.errors import BAD_INPUT, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops import Dense, build
from edgeternary.passes.overflow import prove_no_overflow
from edgeternary.run import run
from tests.registry.graphs import tiny_mlp


def wide(bias: int) -> Graph:
    """127 * 65535 * 258 is just inside int32; `bias` comes on top."""
    x = build.value("x", (258,), "uint16")
    weights = np.full((1, 258), 127, np.int8)
    op = Dense(
        name="wide", inputs=("x",), weights=weights, weight_type="int8", bias=np.array([bias], np.int32)
    )
    return build.graph(x, op)


ROOM = 2**31 - 1 - 127 * 65535 * 258


@pytest.mark.parametrize("sign", [1, -1])
def test_the_border_is_exact(sign: int) -> None:
    wide(sign * ROOM)
    with pytest.raises(EdgeTernaryError, match="'wide' can overflow") as caught:
        wide(sign * (ROOM + 1))
    assert caught.value.code == BAD_INPUT


def test_the_largest_accumulator_comes_out_right() -> None:
    outputs = run(wide(ROOM), np.full((1, 258), 65535)).outputs
    np.testing.assert_array_equal(outputs, [[2**31 - 1]])


def test_the_pass_changes_nothing() -> None:
    graph = tiny_mlp()
    assert prove_no_overflow(graph) is graph
