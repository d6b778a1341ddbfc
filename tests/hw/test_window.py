"""Pooling and pools against numpy: random stalls, two frames back to back."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from edgeternary_hw import Element, LineBuffer, MaxPool, Pooling, SumPool, Window
from tests.full import FULL
from tests.hw.data import BIPOLAR, FRAMES, S8, STALLS, TERNARY, U2, beats, draw, numbers
from tests.hw.harness import run_part


def windows(
    x: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, ...], value: int
):
    """(frames, OH, OW, C, ky, kx)."""
    top, left, bottom, right = pad
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)
    return sliding_window_view(padded, kernel, (1, 2))[:, :: stride[0], :: stride[1]]


GEOMETRY = [
    ((5, 4), (3, 3), (1, 1), (1, 1, 1, 1)), ((5, 7), (3, 2), (2, 1), (0, 1, 2, 0)),
    ((1, 9), (1, 4), (1, 2), (0, 3, 0, 1)), ((6, 6), (2, 2), (2, 2), (0, 0, 0, 0)),
    ((4, 5), (1, 1), (2, 3), (0, 0, 0, 0)), ((3, 3), (3, 3), (1, 1), (2, 2, 2, 2)),
    ((7, 3), (2, 3), (3, 1), (1, 0, 0, 0)), ((1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    ((8, 2), (1, 1), (5, 1), (0, 0, 0, 0)),
]  # fmt: skip
CUTS = ((1, 1), (1, 3), (2, 2), (4, 1))  # sections, passes
FORMS = list(product(CUTS, ("", "tall", "wide")))[:: 1 if FULL else 2]


@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), GEOMETRY)
@pytest.mark.parametrize(("cut", "form"), FORMS)
def test_window(size, kernel, stride, pad, cut: tuple[int, int], form: str) -> None:
    sections, passes = cut
    stall = STALLS[(size[0] + passes) % 2]
    rng = np.random.default_rng(3)
    channels, lanes = 8, 2
    x = draw(rng, S8, (FRAMES, *size, channels))
    part = Window(
        lanes * 8, size, channels // lanes, kernel, stride, pad, pad_word=S8.pack([-3] * lanes),
        sections=sections, passes=passes, **({form: True} if form else {}),
    )  # fmt: skip
    view = windows(x, kernel, stride, pad, -3)
    expected = view.reshape(*view.shape[:3], sections, channels // sections, *kernel).transpose(
        0, 1, 2, 3, 5, 6, 4
    )
    if form:
        grouped = expected.reshape(*expected.shape[:-1], -1, lanes)
        order = (0, 1, 2, 3, 6, 4, 5, 7) if form == "wide" else (0, 1, 2, 3, 5, 6, 4, 7)
        lanes *= kernel[0] * (kernel[1] if form == "wide" else 1)
        expected = grouped.transpose(order).reshape(*expected.shape[:4], -1)
    expected = np.repeat(expected[:, :, :, :, None], passes, axis=4).reshape(-1, lanes)
    got, _ = run_part(part, [beats(S8, x, 2)], len(expected), stall=stall)
    np.testing.assert_array_equal(numbers(S8, got, lanes), expected)


@pytest.mark.parametrize(("width", "stride"), [(1, 1), (3, 1), (9, 1), (9, 2), (4, 3)])
def test_wide_windows_keep_up_with_pixels(width: int, stride: int) -> None:
    """As many windows as pixels: the next row begins without a pause, in rows to spare."""
    frames, size = 6, (5, width)
    part = Window(8, size, 1, (3, 3), (1, stride), (1, 1, 1, 1), wide=True)
    x = [int(n) for n in np.random.default_rng(6).integers(0, 256, frames * 5 * width)]
    answers = frames * part.out_height * part.out_width
    _, cycles = run_part(part, [x], answers, stall=0)
    assert cycles <= len(x) + 4 * width + 70  # which watches 50 more


def drawn_line_buffer(seed: int) -> tuple[LineBuffer, list[int], np.ndarray]:
    """A part, the beats of some frames, and the taps that it has to send."""
    rng = np.random.default_rng(seed)
    size, bits = tuple(rng.integers(1, 9, 2).tolist()), int(rng.integers(1, 6))
    kernel = tuple(int(rng.integers(1, n + 1)) for n in size)
    stride = tuple(rng.integers(1, 4, 2).tolist())
    x = rng.integers(0, 1 << bits, (FRAMES, *size, 1))
    taps = windows(x, kernel, stride, (0, 0, 0, 0), 0).reshape(-1, kernel[0] * kernel[1])
    return LineBuffer(bits, size, kernel, stride), x.reshape(-1).tolist(), taps


@pytest.mark.parametrize("seed", range(12))
def test_line_buffer(seed: int) -> None:
    part, x, taps = drawn_line_buffer(seed)
    got, _ = run_part(part, [x], len(taps), stall=STALLS[seed % 2])
    found = np.array([[beat >> k * part.lane_bits for k in range(part.taps)] for beat in got], object)
    np.testing.assert_array_equal(found % (1 << part.lane_bits), taps)


@pytest.mark.parametrize("seed", range(4))
def test_a_line_buffer_takes_a_pixel_a_clock(seed: int) -> None:
    """Also where a frame follows another one."""
    part, x, taps = drawn_line_buffer(seed)
    _, cycles = run_part(part, [x], len(taps), stall=0)
    assert cycles <= len(x) + 53  # which watches 50 more


@pytest.mark.filterwarnings("ignore:.*created but never used")
def test_a_line_buffer_of_too_small_a_map_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        LineBuffer(1, (3, 4), (4, 1), (1, 1))


@pytest.mark.parametrize("element", [BIPOLAR, TERNARY, U2, S8], ids=lambda e: f"{e.kind}{e.width}")
@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), [g for g in GEOMETRY if max(g[3]) < min(g[1])])
def test_max_pool(element: Element, size, kernel, stride, pad) -> None:
    rng = np.random.default_rng(4)
    channels, lanes = 6, 2
    x = draw(rng, element, (FRAMES, *size, channels))
    minimum = rng.integers(0, 2, channels)
    over = Pooling(size, channels, kernel, stride, pad)
    part = MaxPool(element, over, lanes=lanes, minimum=minimum.tolist())
    lowest = windows(x, kernel, stride, pad, 999).min(axis=(4, 5))
    expected = np.where(minimum, lowest, windows(x, kernel, stride, pad, -999).max(axis=(4, 5))).reshape(
        -1, lanes
    )
    got, _ = run_part(part, [beats(element, x, lanes)], len(expected))
    np.testing.assert_array_equal(numbers(element, got, lanes), expected)


@pytest.mark.parametrize("element", [BIPOLAR, TERNARY, U2, S8], ids=lambda e: f"{e.kind}{e.width}")
@pytest.mark.parametrize(("size", "kernel", "stride", "pad"), [g for g in GEOMETRY if not any(g[3])])
def test_sum_pool(element: Element, size, kernel, stride, pad) -> None:
    rng = np.random.default_rng(5)
    channels, lanes, out = 6, 3, Element("signed", 12)
    x = draw(rng, element, (FRAMES, *size, channels))
    part = SumPool(element, out, Pooling(size, channels, kernel, stride), lanes=lanes)
    expected = windows(x, kernel, stride, pad, 0).sum(axis=(4, 5)).reshape(-1, lanes)
    got, _ = run_part(part, [beats(element, x, lanes)], len(expected))
    np.testing.assert_array_equal(numbers(out, got, lanes), expected)
