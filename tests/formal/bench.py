"""What a proof is about: a part between sources and sinks that do whatever the stream contract allows.

Every beat that will ever go in is a constant that the solver picks (`$anyconst`), and so is when each source
has a beat and when each sink takes one. What has to come out is then a plain function of those constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from amaranth import Array, Cat, Const, Elaboratable, Fragment, Instance, Module, Mux, Signal, Value
from amaranth.hdl import Assert, Assume

Inputs = list[list[Value]]  # Inputs[j][n] is beat n of input j


@dataclass(frozen=True)
class Answer:
    """One beat of an output.

    holds   whether a payload is the right one
    needs   how many beats of each input it depends on: before these are there, it must not be there
    owed    how many beats of each input suffice for it; `needs` if not given
    """

    holds: Callable[[Value], Value]
    needs: tuple[int, ...]
    owed: tuple[int, ...] = ()

    @staticmethod
    def equal(value: Value, *needs: int) -> Answer:
        return Answer(lambda payload: payload == value, needs)


@dataclass(frozen=True)
class Claim:
    """Everything that a proof says about a part.

    beats     how many beats each input gets
    answers   the beats that every output must send, as a function of the inputs
    legal     for each input, which payloads it may have; all, without it
    slack     cycles that are looked at beyond the fewest in which all answers can be out: room for pauses
    patience  cycles in which something must move while every sink is ready: more than any part's latency
    pauses    whether sources and sinks may pause; without, many more beats can be looked at
    """

    part: Any
    beats: tuple[int, ...]
    answers: Callable[[Inputs], list[Answer]]
    legal: tuple[Callable[[Value], Value], ...] = ()
    slack: int = 3
    patience: int = 6
    pauses: bool = True

    @property
    def inputs(self) -> list[Any]:
        return ports(self.part, "i")

    @property
    def outputs(self) -> list[Any]:
        return ports(self.part, "o")


class Elaborated(Elaboratable):
    """A part whose elaboration is over: only now its ports hold the signals that they will have."""

    def __init__(self, part: Any) -> None:
        self.fragment = Fragment.get(part, None)

    def elaborate(self, platform: object) -> Fragment:
        return self.fragment


def ports(part: Any, letter: str) -> list[Any]:
    """The stream ports of one direction: i, or i0, i1, ..."""
    names = [n for n in part.signature.members if n[0] == letter and (n[1:].isdigit() or n == letter)]
    return [getattr(part, name) for name in sorted(names)]


def solver_picks(m: Module, width: int, *, constant: bool = False) -> Signal:
    """A signal that the solver picks, once for all or in every cycle."""
    signal = Signal(width)
    m.submodules += Instance("$anyconst" if constant else "$anyseq", p_WIDTH=width, o_Y=signal)
    return signal


def bench(claim: Claim, *, witness: bool = False) -> Module:
    """The claim as assertions; with `witness` one that is false as soon as all answers are out."""
    m = Module()
    m.submodules.part = Elaborated(claim.part)
    words = [
        [solver_picks(m, len(port.payload), constant=True) for _ in range(count)]
        for port, count in zip(claim.inputs, claim.beats, strict=True)
    ]
    for allowed, stream in zip(claim.legal, words, strict=False):
        m.d.comb += [Assume(allowed(word)) for word in stream]
    taken = [_source(m, port, stream, claim.pauses) for port, stream in zip(claim.inputs, words, strict=True)]
    answers = claim.answers([list(stream) for stream in words])
    sinks = [_sink(m, claim, port, answers, taken, witness) for port in claim.outputs]
    if witness:
        m.d.comb += Assert(~Cat(*(count == len(answers) for count, _ in sinks)).all())
        return m
    moved = Cat(*(port.valid & port.ready for port in claim.inputs + claim.outputs)).any()
    pending = Cat(*(port.valid for port in claim.inputs)).all() | Cat(*(owed for _, owed in sinks)).any()
    idle = Signal(range(claim.patience + 2))
    with m.If(moved):
        m.d.sync += idle.eq(0)
    with m.Elif(pending & Cat(*(port.ready for port in claim.outputs)).all() & (idle <= claim.patience)):
        m.d.sync += idle.eq(idle + 1)
    m.d.comb += Assert(idle <= claim.patience)  # nothing is lost, and no stream is stuck
    return m


def _source(m: Module, port: Any, words: Sequence[Value], pauses: bool) -> Signal:
    """Offers the words in turn, pausing at will if it may; returns how many were taken."""
    taken, waiting = Signal(range(len(words) + 1)), Signal()
    offer = solver_picks(m, 1) if pauses else Const(1, 1)
    m.d.comb += [
        port.valid.eq((offer | waiting) & (taken != len(words))),  # an offered beat is not withdrawn
        port.payload.eq(Mux(port.valid, Array(words)[taken], solver_picks(m, len(port.payload)))),
    ]
    m.d.sync += waiting.eq(port.valid & ~port.ready)
    with m.If(port.valid & port.ready):
        m.d.sync += taken.eq(taken + 1)
    return taken


def _sink(
    m: Module, claim: Claim, port: Any, answers: list[Answer], taken: list[Signal], witness: bool
) -> tuple[Signal, Signal]:
    """Takes beats, at will if it may pause, and checks each; how many came, and whether one is owed."""
    came, owed, right = Signal(range(len(answers) + 1)), Signal(), Signal()
    m.d.comb += port.ready.eq(solver_picks(m, 1) if claim.pauses else 1)
    with m.If(port.valid & port.ready):
        m.d.sync += came.eq(came + 1)
    if witness:
        return came, owed
    with m.Switch(came):
        for k, answer in enumerate(answers):
            with m.Case(k):
                seen = [t + i.valid for t, i in zip(taken, claim.inputs, strict=True)]
                m.d.comb += right.eq(_reached(seen, answer.needs) & answer.holds(port.payload))
                m.d.comb += owed.eq(_reached(taken, answer.owed or answer.needs))
    waiting, payload = Signal(), Signal.like(port.payload)
    m.d.sync += [waiting.eq(port.valid & ~port.ready), payload.eq(port.payload)]
    m.d.comb += [
        Assert(~port.valid | right),  # the right beat, neither one again nor one too early
        Assert(~waiting | (port.valid & (port.payload == payload))),  # it stays while it waits
    ]
    return came, owed


def _reached(counts: Sequence[Value], wanted: Sequence[int]) -> Value:
    return Cat(*(count >= n for count, n in zip(counts, wanted, strict=True)), Const(1, 1)).all()
