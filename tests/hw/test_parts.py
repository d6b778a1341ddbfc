"""The other parts against numpy: random stalls on all ports, two frames back to back."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest

from edgeternary_hw import (
    Add,
    ArgMax,
    Concat,
    Element,
    Fifo,
    Fork,
    Lookup,
    Multiply,
    Narrow,
    Recode,
    Replay,
    Requantize,
    Skid,
    Threshold,
    Total,
    Widen,
)
from edgeternary_hw.stage import Memories, Storage
from tests.hw.data import BINARY, BIPOLAR, FRAMES, S3, S8, STALLS, TERNARY, U2, U8, beats, draw, numbers
from tests.hw.harness import run_part

M = TypeVar("M", bound=Memories)
MODES = ("parallel", "tree", "serial")


def late(part: M) -> M:
    """Every memory in block RAMs of 3 bits that answer late in the cycle and have registers inside."""
    part._MustUse__silence = True  # type: ignore[attr-defined]  # its copy is used
    styles, slices = dict.fromkeys(part.memories, "block"), dict.fromkeys(part.memories, 3)
    return part.stored({"": Storage(styles, slices, late=True, inside=True)})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize(
    ("target", "levels", "base", "steps"),
    [
        (BIPOLAR, 1, {2: -1, -2: 1, 0: 1}, [2, -2, 0]), (BINARY, 1, {1: 0, -1: 1}, [1, -1]),
        (TERNARY, 2, {1: -1, -1: 1, 0: 0}, [1, -1, 0]), (U2, 3, {1: 0, -1: 3, 0: 2}, [1, -1, 0]),
        (S3, 7, {1: -4, -1: 3}, [1, -1]),
    ],
)  # fmt: skip
def test_threshold(
    target: Element, levels: int, base: dict[int, int], steps: list[int], same: bool, mode: str
) -> None:
    rng = np.random.default_rng(6)
    channels, lanes, source = 6, 2, Element("signed", 7)
    t = np.sort(rng.integers(-64, 65, (channels, levels)), axis=1)
    step = rng.choice(steps, channels)
    if same:
        t[:], step[:] = t[0], step[0]
    bases = np.array([base[int(s)] for s in step])
    x = draw(rng, source, (FRAMES, 7, channels))
    expected = bases + step * (x[..., None] >= t).sum(axis=-1)
    for kept in (False, True):
        part = Threshold(
            t.tolist(), bases.tolist(), step.tolist(), source, target, lanes=lanes, mode=mode, kept=kept
        )
        if kept:
            part = late(part)
        got, _ = run_part(part, [beats(source, x, lanes)], x.size // lanes)
        np.testing.assert_array_equal(numbers(target, got, lanes), expected.reshape(-1, lanes))


@pytest.mark.parametrize("m", [[1], [0, 1, -1], [-3, 5, 1023, 0]])
@pytest.mark.parametrize("s", [[3], [0, 1, 5]])
@pytest.mark.parametrize("target", [U8, S3], ids=lambda e: f"{e.kind}{e.width}")
def test_requantize(m: list[int], s: list[int], target: Element) -> None:
    rng = np.random.default_rng(7)
    channels, lanes, source = 4, 2, Element("signed", 9)
    ms, ss, bs = rng.choice(m, channels), rng.choice(s, channels), rng.integers(-300, 300, channels)
    x = draw(rng, source, (FRAMES, 20, channels))
    low, high = (0, 200) if target is U8 else (-4, 2)
    expected = np.clip(((x * ms + bs) >> ss) + 1, low, high).reshape(-1, lanes)
    for place in (lambda part: part, late):
        part = Requantize((ms, bs, ss), 1, (low, high), source, target, lanes=lanes)
        part = place(part)
        got, _ = run_part(part, [beats(source, x, lanes)], len(expected))
        np.testing.assert_array_equal(numbers(target, got, lanes), expected)


@pytest.mark.parametrize(("part", "function"), [(Add, np.add), (Multiply, np.multiply)])
@pytest.mark.parametrize("elements", [(U2, S8), (BIPOLAR, BIPOLAR), (TERNARY, U2), (S3, S3)])
def test_two_operands(part, function, elements: tuple[Element, Element]) -> None:
    rng = np.random.default_rng(8)
    a, b = (draw(rng, e, (40, 3)) for e in elements)
    out = Element("signed", 12)
    got, _ = run_part(part(*elements, out, lanes=3), [beats(e, v, 3) for e, v in zip(elements, (a, b))], 40)
    np.testing.assert_array_equal(numbers(out, got, 3), function(a, b))


def test_concat() -> None:
    rng = np.random.default_rng(9)
    a, b, c = (draw(rng, U2, (12, n)) for n in (2, 6, 4))
    got, _ = run_part(Concat(4, [1, 3, 2]), [beats(U2, v, 2) for v in (a, b, c)], 72)
    np.testing.assert_array_equal(numbers(U2, got, 2).reshape(12, 12), np.concatenate([a, b, c], axis=1))


@pytest.mark.parametrize("element", [BIPOLAR, TERNARY, U2, S8], ids=lambda e: f"{e.kind}{e.width}")
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_argmax(element: Element, channels: int) -> None:
    x = draw(np.random.default_rng(10), element, (30, channels))
    got, _ = run_part(ArgMax(element, channels, 3), [beats(element, x, 1)], 30)
    np.testing.assert_array_equal(got, x.argmax(axis=1))


def test_lookup() -> None:
    rng = np.random.default_rng(11)
    values, x = rng.integers(-4, 4, 100), rng.integers(-50, 50, (30, 2))
    for place in (lambda part: part, late):
        part = Lookup(values.tolist(), -50, S8, S3, lanes=2)
        part = place(part)
        got, _ = run_part(part, [beats(S8, x, 2)], 30)
        np.testing.assert_array_equal(numbers(S3, got, 2), values[x + 50])


@pytest.mark.parametrize("source", [BIPOLAR, TERNARY, U2, S3], ids=lambda e: f"{e.kind}{e.width}")
def test_recode(source: Element) -> None:
    x = draw(np.random.default_rng(12), source, (30, 2))
    got, _ = run_part(Recode(source, S8, lanes=2), [beats(source, x, 2)], 30)
    np.testing.assert_array_equal(numbers(S8, got, 2), x)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize(
    ("part", "times"),
    [
        (lambda: Skid(8), 1), (lambda: Fifo(8, 5), 1), (lambda: Fork(8, 3), 1), (lambda: Replay(8, 5, 3), 3),
        (lambda: Replay(8, 5, 2, 5), 2), (lambda: Replay(8, 1, 4), 4), (lambda: Replay(8, 20, 1), 1),
    ],
)  # fmt: skip
def test_buffers(part, times: int, stall: float, slow: bool) -> None:
    data = np.random.default_rng(13).integers(0, 256, (8, 5))
    built = part()
    if slow and isinstance(built, Memories):
        built = late(built)
    vectors = data.reshape(-1, getattr(built, "length", 5))
    expected = np.repeat(vectors[:, None], times, axis=1).ravel().tolist()
    got, _ = run_part(built, [data.ravel().tolist()], len(expected), stall=stall)
    assert got == expected


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("ratio", [2, 3, 5])
def test_width(ratio: int, stall: float) -> None:
    x = draw(np.random.default_rng(14), S3, (20, ratio))
    got, _ = run_part(Widen(3, ratio), [beats(S3, x, 1)], 20, stall=stall)
    assert got == beats(S3, x, ratio)
    got, _ = run_part(Narrow(3, ratio), [beats(S3, x, ratio)], 20 * ratio, stall=stall)
    assert got == beats(S3, x, 1)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_total(count: int) -> None:
    rng = np.random.default_rng(count)
    x, start = draw(rng, U2, (FRAMES, count, 3)), [-5, 0, 7]
    target = Element("signed", 7)
    got, _ = run_part(Total(U2, target, count, start), [beats(U2, x, 3)], FRAMES, stall=STALLS[count % 2])
    np.testing.assert_array_equal(numbers(target, got, 3), x.sum(axis=1) + start)
