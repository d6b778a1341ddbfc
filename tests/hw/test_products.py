"""Parts that multiply variables, without a multiplier: products, and the direction of a vector."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edgeternary.ops import RmsNorm as Op
from edgeternary_hw import Element, Multiply, RmsNorm, Row
from edgeternary_hw.signed_digits import signed_digits
from tests.hw.data import BIPOLAR, S8, STALLS, TERNARY, U2, beats, draw, numbers
from tests.hw.harness import run_part

S16, U9, WIDE = Element("signed", 16), Element("unsigned", 9), Element("signed", 34)
DIGITS = (1, 2, 3)  # 3: all of them, in a pipeline


def cycles(part: object, payloads: list[list[int]], count: int) -> int:
    return run_part(part, payloads, count, stall=0.0)[1]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("elements", [(U9, S16), (S16, S8), (S16, S16), (BIPOLAR, BIPOLAR)])
def test_multiply(elements: tuple[Element, Element], digits: int, stall: float) -> None:
    rng = np.random.default_rng(20)
    codes = [np.array([e.decode(code) for code in range(1 << e.width)]) for e in elements]
    first, second = ([c.min(), c.max()] for c in codes)  # each end with each
    a, b = (np.concatenate([ends, draw(rng, e, (56,))])[:, None]
            for ends, e in zip((np.tile(first, 2), np.repeat(second, 2)), elements, strict=True))  # fmt: skip
    part = Multiply(*elements, WIDE, lanes=1, digits=digits)
    got, _ = run_part(part, [beats(e, v, 1) for e, v in zip(elements, (a, b), strict=True)], 60, stall=stall)
    np.testing.assert_array_equal(numbers(WIDE, got, 1), a * b)


@pytest.mark.parametrize("digits", DIGITS)
def test_a_product_takes_its_steps(digits: int) -> None:
    x = draw(np.random.default_rng(21), S16, (50, 1))
    taken = []
    for n in (20, 50):
        part = Multiply(S16, S16, WIDE, lanes=1, digits=digits)
        taken.append(cycles(part, [beats(S16, x[:n], 1)] * 2, n))
    assert taken[1] - taken[0] == 30 * part.speed.steps


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("element", "channels", "digits"),
    [(S16, 33, 1), (S16, 20, 3), (S16, 1, 3), (S8, 7, 2), (U2, 7, 1), (BIPOLAR, 1, 1), (TERNARY, 5, 2)],
)
def test_rms_norm(element: Element, channels: int, digits: int, stall: float) -> None:
    x = draw(np.random.default_rng(22), element, (6, channels))
    if element is not BIPOLAR:
        x[2], x[3, 1:] = 0, 0
    if element is S16:
        x[4], x[5] = -32768, x[5] // 512
    most = max(abs(element.decode(code)) for code in range(1 << element.width))
    part = RmsNorm(element, channels, most, digits=digits)
    got, _ = run_part(part, [beats(element, x, 1)], x.size, stall=stall)
    np.testing.assert_array_equal(numbers(S16, got, 1).reshape(x.shape), Op(name="y", inputs=("x",)).ref(x))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("element", "channels", "digits"), [(S16, 33, 1), (S8, 7, 2), (S16, 5, 3), (U2, 1, 1)]
)
def test_a_norm_takes_its_interval(element: Element, channels: int, digits: int) -> None:
    x = draw(np.random.default_rng(23), element, (6, channels))

    taken = []
    for n in (3, 6):
        part = RmsNorm(element, channels, 1 << element.width, digits=digits)
        taken.append(cycles(part, [beats(element, x[:n], 1)], n * channels))
    assert taken[1] - taken[0] == 3 * part.interval


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(("width", "lanes"), [(12, 1), (12, 4), (1, 1), (7, 7)])
def test_row(width: int, lanes: int, stall: float) -> None:
    rng = np.random.default_rng(24)
    table, x = draw(rng, S8, (5, width)), rng.integers(0, 5, (20, 1))
    part = Row(table.tolist(), Element("unsigned", 3), S8, lanes=lanes)
    got, _ = run_part(part, [beats(Element("unsigned", 3), x, 1)], x.size * width // lanes, stall=stall)
    np.testing.assert_array_equal(numbers(S8, got, lanes).reshape(-1, width), table[x[:, 0]])


def test_signed_digits() -> None:
    for number in (*range(-300, 300), 22989, 32767, -32768, 21845):
        digits = signed_digits(number)
        exponents = [exponent for exponent, _ in digits]
        assert sum(sign << exponent for exponent, sign in digits) == number
        assert all(a - b > 1 for a, b in pairwise(exponents))
