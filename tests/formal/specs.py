"""What parts have to answer, written again from their docstrings: nothing here is shared with the parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product

from amaranth import Cat, Const, Mux, Value

from edgeternary_hw import Element
from tests.formal.bench import Answer, Inputs

Numbers = list[Value]


def number(element: Element, code: Value) -> Value:
    """The integer of a code."""
    if element.kind == "bipolar":
        return Mux(code, Const(1, 2), Const(-1, 2))
    if element.kind == "ternary":
        return code[0] - code[1]
    return code.as_signed() if element.kind == "signed" else code


def split(element: Element, payload: Value) -> list[Value]:
    """The codes of a payload."""
    return [payload[k : k + element.width] for k in range(0, len(payload), element.width)]


def legal(element: Element, least: int | None = None, most: int | None = None) -> Callable[[Value], Value]:
    """Whether a payload holds codes of numbers, in a range if one is given."""

    def check(payload: Value) -> Value:
        found = [Const(1, 1)]
        for code in split(element, payload):
            if element.kind == "ternary":
                found.append(code != 3)
            if least is not None and most is not None:
                x = number(element, code)
                found.append((x >= least) & (x <= most))
        return Cat(*found).all()

    return check


def holds(element: Element, numbers: Sequence[Value]) -> Callable[[Value], Value]:
    """Whether a payload holds these numbers and no illegal code."""

    def check(payload: Value) -> Value:
        codes = split(element, payload)
        same = [number(element, c) == n for c, n in zip(codes, numbers, strict=True)]
        return Cat(*same, legal(element)(payload)).all()

    return check


def elementwise(
    sources: Sequence[Element], target: Element, function: Callable[..., Value], channels: int
) -> Callable[[Inputs], list[Answer]]:
    """Beat n holds function(channel, x of input 0, x of input 1, ...) of the n-th beats."""

    def answers(inputs: Inputs) -> list[Answer]:
        found = []
        for n, words in enumerate(zip(*inputs, strict=True)):
            lanes = zip(*(split(e, w) for e, w in zip(sources, words, strict=True)), strict=True)
            numbers = []
            for lane, codes in enumerate(lanes):
                xs = [number(e, c) for e, c in zip(sources, codes, strict=True)]
                width = len(words[0]) // sources[0].width
                numbers.append(function((n * width + lane) % channels, *xs))
            found.append(Answer(holds(target, numbers), (n + 1,) * len(sources)))
        return found

    return answers


def window(
    size: tuple[int, int],
    beats: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    sections: int = 1,
    passes: int = 1,
) -> list[list[int | None]]:
    """For each output pixel, section and pass: the beats of the map that it reads, None outside the map."""
    rows, columns = (
        range(0, size[axis] + pad[axis] + pad[axis + 2] - kernel[axis] + 1, stride[axis]) for axis in (0, 1)
    )
    part = beats // sections
    found = []
    for y, x, section, _ in product(rows, columns, range(sections), range(passes)):
        taps: list[int | None] = []
        for ky, kx, beat in product(range(kernel[0]), range(kernel[1]), range(part)):
            v, u = y + ky - pad[0], x + kx - pad[1]
            inside = 0 <= v < size[0] and 0 <= u < size[1]
            taps.append((v * size[1] + u) * beats + section * part + beat if inside else None)
        found.append(taps)
    return found


def pooled(
    source: Element, target: Element, taps: list[list[int | None]], groups: int, combine: Callable[..., Value]
) -> Callable[[Inputs], list[Answer]]:
    """One beat for each list of taps: combine(channel, x, x, ...) of the taps inside the map."""

    def answers(inputs: Inputs) -> list[Answer]:
        (words,) = inputs
        found = []
        for n, places in enumerate(taps):
            inside = [place for place in places if place is not None]
            columns = zip(*(split(source, words[place]) for place in inside), strict=True)
            numbers = []
            for lane, codes in enumerate(columns):
                channel = (n % groups) * (len(words[0]) // source.width) + lane
                numbers.append(combine(channel, *(number(source, code) for code in codes)))
            found.append(Answer(holds(target, numbers), (max(inside) + 1,), (len(words),)))
        return found

    return answers


def largest(values: Sequence[Value], smallest: bool = False) -> Value:
    """The largest of some numbers, or the smallest."""
    return reduce(lambda a, b: Mux((a > b) ^ smallest, a, b), values)
