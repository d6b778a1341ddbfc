"""A wrong layout is answered with the expression that moves every element to its place."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.layout import check_layout, remedy

# shape of the input, how its data is given: an expression of the right data x
IMAGE, GREY, SERIES, FLAT = (4, 5, 3), (4, 5, 1), (1, 5, 3), (6,)
GIVEN = {
    "channels first": (IMAGE, "x.transpose(0, 3, 1, 2)", "channels first"),
    "one channel first": (GREY, "x.transpose(0, 3, 1, 2)", "channels first"),
    "columns before rows": ((4, 5, 4), "x.transpose(0, 2, 3, 1)", "another order"),
    "flattened by torch": (IMAGE, "x.transpose(0, 3, 1, 2).reshape(7, -1)", "torch flattened"),
    "flattened": (GREY, "x.reshape(7, -1)", "reshape"),
    "series, channels first": (SERIES, "x[:, 0].swapaxes(1, 2)", "channels first"),
    "series without height": (SERIES, "x[:, 0]", "height of 1"),
    "one sample": (IMAGE, "x[0]", "axis of samples"),
    "one flat sample": (FLAT, "x[0]", "axis of samples"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_the_expression_is_right(case: str) -> None:
    shape, how, message = GIVEN[case]
    samples = 1 if "sample" in case else 7
    x = np.arange(samples * int(np.prod(shape))).reshape(samples, *shape)
    given = eval(how, {"x": x})
    with pytest.raises(EdgeTernaryError, match=message) as caught:
        check_layout("m", shape, given, ["samples"])
    expression = re.search(r"\bx[.\[].*?(?=;| \(|$)", caught.value.remedy)
    assert expression, caught.value.remedy
    if case != "columns before rows":  # of two equal sizes nobody can say which is which
        assert_array_equal(eval(expression[0], {"x": given}), x)


@pytest.mark.parametrize(
    ("given", "shape", "said"),
    [
        ((2, 9, 4, 3), (3, 9, 4), "x.transpose(0, 3, 1, 2)"),
        ((2, 8, 3, 4, 5), (4, 5, 3), "x.transpose(0, 1, 3, 4, 2)"),
        ((2, 5, 40), (5,), "x.transpose(0, 2, 1)"),
        ((2, 5), (5,), "x[:, None]"),
        ((5,), (5,), "x[None, None]"),
    ],
)
def test_with_steps(given: tuple[int, ...], shape: tuple[int, ...], said: str) -> None:
    axes = ["samples", "steps"] if len(given) != 4 else ["samples"]
    assert said in remedy(given, shape, axes)


@pytest.mark.parametrize("given", [(7, 4, 5, 2), (7, 9), (7,), (), (7, 4, 5, 3, 1), (7, 3, 3, 3)])
def test_other_sizes_are_not_reshaped(given: tuple[int, ...]) -> None:
    said = remedy(given, IMAGE, ["samples"])
    assert said == "give samples of this shape" or "x.reshape(7, 4, 5, 3)" in said
    with pytest.raises(EdgeTernaryError, match=r"takes \(samples, 4, 5, 3\), channels last"):
        check_layout("m", IMAGE, np.zeros(given), ["samples"])
