"""The matrix-vector unit against numpy: random stalls, two frames back to back."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary_hw import Element, MatrixVector
from tests.hw.data import BINARY, BIPOLAR, FRAMES, S8, STALLS, TERNARY, U2, U8, beats, draw, numbers
from tests.hw.harness import run_part


@pytest.mark.parametrize(
    "element", [BIPOLAR, TERNARY, BINARY, U2, U8, S8], ids=lambda e: f"{e.kind}{e.width}"
)
@pytest.mark.parametrize(
    ("weights", "fold"),
    [
        ((-1, 2), (3, 7, 1)), ((-1, 2), (6, 1, 2)), ((-1, 1), (2, 21, 2)), ((0, 2), (6, 3, 3)),
        ((-8, 8), (2, 3, 1)), ((-1, 2), (1, 1, 1)), ((-128, 128), (3, 21, 3)), ((0, 1), (3, 3, 3)),
    ],
)  # fmt: skip
def test_matrix_vector(element: Element, weights: tuple[int, int], fold: tuple[int, int, int]) -> None:
    stall = STALLS[(element.width + fold[0]) % 2]
    rng = np.random.default_rng(1)
    rows, columns, (pe, simd, outputs) = 6, 21, fold
    w = rng.integers(*weights, (rows, columns))
    if weights == (-1, 1):
        w = np.where(w < 0, -1, 1)
    bias = rng.integers(-9, 10, rows)
    x = draw(rng, element, (FRAMES, columns))
    out = Element("signed", 22)
    part = MatrixVector(w.tolist(), bias.tolist(), element, pe=pe, simd=simd, outputs=outputs, out_width=22)
    stream = np.repeat(x[:, None], rows // pe, axis=1)
    got, _ = run_part(part, [beats(element, stream, simd)], FRAMES * rows // outputs, stall=stall)
    np.testing.assert_array_equal(numbers(out, got, outputs).reshape(FRAMES, rows), x @ w.T + bias)


@pytest.mark.parametrize("element", [BIPOLAR, TERNARY, U2, S8], ids=lambda e: f"{e.kind}{e.width}")
@pytest.mark.parametrize(
    ("pe", "simd", "outputs", "full"),
    [(3, 1, 1, False), (3, 3, 1, False), (2, 9, 2, False), (2, 9, 2, True), (6, 9, 6, True), (1, 9, 1, True)],
)
def test_own_columns(element: Element, pe: int, simd: int, outputs: int, full: bool) -> None:
    rng = np.random.default_rng(2)
    channels, taps = 6, 9
    w = rng.integers(-1, 2, (channels, taps))
    bias = rng.integers(-9, 10, channels)
    x = draw(rng, element, (FRAMES, taps, channels))
    part = MatrixVector(
        w.tolist(),
        bias.tolist(),
        element,
        pe=pe,
        simd=simd,
        outputs=outputs,
        out_width=16,
        own=True,
        full=full,
    )
    ordered = x.reshape(FRAMES, taps, channels // pe, pe).transpose(0, 2, 1, 3)
    got, _ = run_part(part, [beats(element, ordered, pe * simd)], FRAMES * channels // outputs)
    expected = np.einsum("ftc,ct->fc", x, w) + bias
    np.testing.assert_array_equal(numbers(Element("signed", 16), got, outputs).reshape(FRAMES, -1), expected)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(("full", "cycles"), [(False, 2), (True, 1)])
def test_a_pass_of_one_beat(full: bool, cycles: int, raw: bool) -> None:
    """Takes two cycles; with `full` one, the same numbers, and nothing is lost in pauses."""
    rng = np.random.default_rng(3)
    w, x = rng.integers(-1, 2, (4, 5)), draw(rng, U2, (60, 5))
    shape = {"pe": 2, "simd": 5, "outputs": 2, "out_width": 8, "raw": raw}
    stream = beats(U2, np.repeat(x[:, None], 2, axis=1), 5)
    part = MatrixVector(w.tolist(), [0] * 4, U2, full=full, **shape)
    got, took = run_part(part, [stream], 120, stall=0)
    assert part.interval == cycles and abs(took - 50 - 120 * cycles) < 20
    again, _ = run_part(MatrixVector(w.tolist(), [0] * 4, U2, full=full, **shape), [stream], 120)
    assert again == got
    if not raw:
        np.testing.assert_array_equal(numbers(Element("signed", 8), got, 2).reshape(60, 4), x @ w.T)
