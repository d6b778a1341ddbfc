"""Dot products by counting bits, and the vertical counters that make counting fast.

With an activation x = c + sum over planes k of v_k * b_k (b_k a bit, v_k = +-2^e_k) and weights of -1, 0, +1

    ternary   sum w*b = ones((p & b) | (n & ~b)) - N      N, P: number of weights -1, +1
    bipolar   sum w*b = P - ones(s ^ b)                   s: bit 1 means +1

so one count a plane is enough. A plane of negative weight (the sign of intN, the n of ternary) is counted
with b inverted, which makes every term of `raw` positive:

    raw = sum over k of 2^e_k * ones(match_k)             acc = +-raw * factor + offset[c]

All planes feed one set of vertical counters: word `sum2` holds digit 2 of 32 counters, and a carry-save
adder (five logic instructions) adds two words to a digit and returns the carries (Harley and Seal). Only
the few digits at the end go through a population count.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.c.weights import Codes
from edgeternary.ir import Type
from edgeternary.passes.affine import Affine

MAX_PLANES = 8


@dataclass(frozen=True)
class PlaneUse:
    """Plane k adds 2^exponent * ones(match) to raw, its bits inverted if its value is negative."""

    exponent: int
    inverted: bool


@dataclass(frozen=True)
class Digits:
    """x = constant + factor * (sum over positive planes of 2^e * b - sum over negative planes of 2^e * b)."""

    planes: tuple[PlaneUse, ...]
    factor: int
    constant: int

    @property
    def weight(self) -> int:
        """The largest count that one position can add to raw."""
        return sum(1 << plane.exponent for plane in self.planes)


def digits(type: Type) -> Digits:
    """How the planes of `type` make its codes."""
    if type.name == "bipolar":
        return Digits((PlaneUse(0, False),), 2, -1)
    if type.name == "ternary":
        return Digits((PlaneUse(0, False), PlaneUse(0, True)), 1, 0)
    top = type.planes - 1
    return Digits(tuple(PlaneUse(k, type.signed and k == top) for k in range(type.planes)), 1, 0)


def affine(codes: Codes, weight_type: str, bias: NDArray[np.int64], type: Type, bits: int) -> Affine:
    """acc in terms of raw for weights (out, n) that lie in rows of `bits` bits, unused ones included."""
    use = digits(type)
    plus = (codes > 0).sum(axis=1).astype(np.int64)
    minus = (codes < 0).sum(axis=1).astype(np.int64)
    offset = bias + use.constant * (plus - minus)
    for plane in use.planes:
        value = use.factor << plane.exponent
        if weight_type == "ternary":
            offset -= value * (plus if plane.inverted else minus)
        else:
            offset += value * (bits - plus if plane.inverted else plus)
    count = int((plus + minus).max()) if weight_type == "ternary" else bits
    return Affine(use.factor if weight_type == "ternary" else -use.factor, offset, 0, count * use.weight)


@dataclass(frozen=True)
class Line:
    """One statement of the counter: kind start, full, half or last. `@` stands for the prefix of helpers."""

    kind: str
    digit: str
    inputs: tuple[str, ...]
    carry: str = ""


class Counter:
    """Writes the statements that add words to vertical counters, carries as soon as there are two of them."""

    def __init__(self, top: int, started: bool) -> None:
        """`top` is the highest digit that can be reached; `started` digits already hold a count."""
        self.top = top
        self.started = [started] * (top + 1)
        self.waiting: list[str | None] = [None] * (top + 2)
        self.lines: list[Line] = []
        self.carries = 0

    def push(self, exponent: int, word: str) -> None:
        """Add 2^exponent for each one of `word`."""
        if not self.started[exponent]:
            self.started[exponent] = True
            self.lines.append(Line("start", _digit(exponent), (word,)))
        elif self.waiting[exponent] is None:
            self.waiting[exponent] = word
        else:
            first = self.waiting[exponent]
            self.waiting[exponent] = None
            assert first is not None
            self._add(exponent, (first, word))

    def flush(self) -> None:
        """Add what still waits for a partner."""
        for exponent in range(self.top + 1):
            word = self.waiting[exponent]
            if word is not None:
                self.waiting[exponent] = None
                self._add(exponent, (word,))

    def _add(self, exponent: int, words: tuple[str, ...]) -> None:
        if exponent == self.top:  # the total fits, so nothing is carried out of the top digit
            self.lines.append(Line("last", _digit(exponent), words))
            return
        self.carries += 1
        carry = f"carry{2 << exponent}_{self.carries}"
        self.lines.append(Line("full" if len(words) == 2 else "half", _digit(exponent), words, carry))
        self.push(exponent + 1, carry)


@dataclass(frozen=True)
class Schedule:
    """How a row of words is counted: `rounds` times the statements of `loop` for `unroll` words, then `tail`.

    digits  names of the counters, with the exponent of each
    """

    rounds: int
    unroll: int
    loop: tuple[Line, ...]
    tail: tuple[Line, ...]
    rest: int
    digits: tuple[tuple[str, int], ...]


STRAIGHT = 40  # matches up to which a row is written out without a loop
UNROLLED = 32  # matches in the body of a loop


def schedule(words: int, type: Type, weight_type: str) -> Schedule:
    """Statements that count a row of `words` words of activations of `type`."""
    use = digits(type)
    top = (words * use.weight).bit_length() - 1
    count = len(use.planes)
    unroll = words if words * count <= STRAIGHT else max(1, min(8, UNROLLED // count))
    rounds = 0 if unroll == words else words // unroll
    rest = words - rounds * unroll

    def lines(words: int, started: bool) -> tuple[tuple[Line, ...], list[bool]]:
        counter = Counter(top, started)
        for word in range(words):
            for exponent, match in _matches(word, use, weight_type):
                counter.push(exponent, match)
        counter.flush()
        return tuple(counter.lines), counter.started

    loop, _ = lines(unroll, True) if rounds else ((), [])
    tail, started = lines(rest, rounds > 0)
    names = tuple((_digit(e), e) for e in range(top + 1) if started[e])
    return Schedule(rounds, unroll, loop, tail, rest, names)


def _matches(word: int, use: Digits, weight_type: str) -> Iterator[tuple[int, str]]:
    for k, plane in enumerate(use.planes):
        x = f"x[{word * len(use.planes) + k}]"
        if weight_type == "ternary":
            plus, minus = f"w[{2 * word}]", f"w[{2 * word + 1}]"
            first, second = (minus, plus) if plane.inverted else (plus, minus)
            yield plane.exponent, f"@agree({first}, {second}, {x})"
        else:
            yield plane.exponent, f"~(w[{word}] ^ {x})" if plane.inverted else f"w[{word}] ^ {x}"


def _digit(exponent: int) -> str:
    return f"sum{1 << exponent}"
