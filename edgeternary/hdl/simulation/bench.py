"""A design in the Amaranth simulator, fed from a memory and read into memories, so that Python rests."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth import Cat, Const, Elaboratable, Module, Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import frames
from edgeternary.hdl.simulation.stuck import no_answer, short_load, wrong_weights
from edgeternary.hdl.top import Design
from edgeternary.ir import IntArray

STALL_PERIOD = 1021  # a prime, so that the pattern does not beat with frames


@dataclass(frozen=True)
class Run:
    """What a simulation gave.

    outputs, taps  (frames, *shape), or (samples, steps, *shape) with states
    times          for each frame the cycle, counted from the first beat that went in, of its last beat out
    """

    outputs: IntArray
    taps: dict[str, IntArray]
    times: list[int]


def simulate(
    design: Design,
    inputs: IntArray,
    *,
    taps: bool = False,
    stalls: int | None = None,
    waves: str = "",
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Run frames (n, *shape), or steps (samples, steps, *shape) of a design with states, back to back.
    With `stalls`, a seed, source and sink pause at random.

    waves  name of a VCD file for all signals; layers are scopes in it. It is there after a failure as well.
    """
    count = math.prod(design.lead(inputs))
    bench = _Bench(design, inputs, taps, stalls)
    with long_integers():
        simulator = Simulator(bench.module)
    simulator.add_clock(1e-6)
    result: list[Run] = []

    async def testbench(ctx: Any) -> None:
        done = 0
        while done < count or not ctx.get(bench.settled):
            done, failed, _ = await ctx.changed(bench.frame, bench.failed, bench.settled)
            if failed:
                raise EdgeTernaryError(
                    f"the hardware of model {design.graph.name!r} stopped after {done} of {count} frames",
                    bench.stuck(ctx),
                    "report this: a stream of the design is stuck",
                )
            if progress:
                progress(done)  # again while what the last frame writes into states is on its way
        result.append(bench.read(ctx))

    simulator.add_testbench(testbench)
    with simulator.write_vcd(waves) if waves else nullcontext(), long_integers():
        simulator.run()
    return result[0]


@contextmanager
def long_integers() -> Iterator[None]:
    """Amaranth writes masks of wide signals as decimal numbers, which Python limits to 4,300 digits."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(limit)


def _least(values: list[Signal]) -> Value:
    """The smallest of some numbers."""
    found: Value = values[0]
    for value in values[1:]:
        found = Mux(value < found, value, found)
    return found


class _Seen(Elaboratable):
    """The payload of a stream. It is looked up late: a Replay has its own only once it is elaborated."""

    def __init__(self, port: Any) -> None:
        self.port, self.payload = port, Signal(len(port.payload))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.payload.eq(self.port.payload)
        return m


class _Bench:
    """The design with a source, and memories that record its output and its taps."""

    def __init__(self, design: Design, inputs: IntArray, taps: bool, stalls: int | None) -> None:
        self.design, self.lead = design, design.lead(inputs)
        self.count = math.prod(self.lead)
        self.limit = design.limit(self.count)
        self.module = m = Module()
        m.submodules.design = design.top
        self.cycle = Signal(range(self.limit + 2))
        self.frame, self.failed = Signal(range(self.count + 1)), Signal()
        self._start(m, design.stimuli(inputs), stalls)
        self.outputs, self.times = list[Memory](), list[Memory]()
        self.given, frame = list[Signal](), list[Signal]()
        for output in design.outs:
            memory, last, _, given = self._record(m, getattr(design.top, output.name), output.beats)
            times = Memory(shape=unsigned(len(self.cycle)), depth=self.count, init=[])
            m.submodules += times
            port, done = times.write_port(), Signal(range(self.count + 1))
            m.d.comb += [port.addr.eq(done), port.data.eq(self.cycle), port.en.eq(last)]
            with m.If(last):
                m.d.sync += done.eq(done + 1)
            self.outputs.append(memory)
            self.times.append(times)
            self.given.append(given)
            frame.append(done)
        m.d.sync += self.frame.eq(_least(frame))  # in a register: it changes when the clock does
        self.taps = {}
        recorded = [Const(1)]
        for name, wire in design.taps.items() if taps else ():
            self.taps[name], _, full, _ = self._record(m, wire.port, wire.value.size // wire.lanes)
            recorded.append(full)
        self.settled = Signal()  # what follows the last answer, on its way into states, was recorded
        m.d.sync += self.settled.eq(Cat(*recorded).all())

    def _start(self, m: Module, stimuli: list[frames.Words], stalls: int | None) -> None:
        """The sources; the cycle counter, which starts with the first beat that is offered."""
        top, ins, outs = self.design.top, self.design.ins, self.design.outs
        self.ports = [getattr(top, port.name) for port in ins]
        self.beats, self.at = sum(map(len, stimuli)), list[Signal]()
        pauses = len(ins) + len(outs)
        running, pause = Signal(), Signal(pauses)
        loaded = self._load(m) if self.design.weights else Const(1)
        for k, (port, words) in enumerate(zip(self.ports, stimuli, strict=True)):
            self.at.append(self._source(m, port, words, ~pause[k] & loaded))
        for k, output in enumerate(outs):
            m.d.comb += getattr(top, output.name).ready.eq(~pause[len(ins) + k])
        with m.If(running | Cat(port.valid for port in self.ports).any()):
            m.d.sync += [running.eq(1), self.cycle.eq(self.cycle + 1)]
            with m.If(self.cycle == self.limit):
                m.d.sync += self.failed.eq(1)
        if stalls is not None:
            chances = (0.3,) * len(ins) + (0.5,) * len(outs)
            pattern = np.random.default_rng(stalls).random((STALL_PERIOD, pauses)) < chances
            init = [sum(int(bit) << k for k, bit in enumerate(row)) for row in pattern]
            m.submodules.pattern = memory = Memory(shape=unsigned(pauses), depth=STALL_PERIOD, init=init)
            stall = memory.read_port()
            step = Signal(range(STALL_PERIOD))
            m.d.comb += [stall.addr.eq(step), pause.eq(stall.data)]
            with m.If(step == STALL_PERIOD - 1):
                m.d.sync += step.eq(0)
            with m.Else():
                m.d.sync += step.eq(step + 1)

    def _source(self, m: Module, port: Any, words: frames.Words, go: Value) -> Signal:
        """Sends the beats of a stream while it may go on; returns how many it has offered."""
        source = Memory(shape=unsigned(len(port.payload)), depth=len(words), init=frames.payloads(words))
        m.submodules += source
        read = source.read_port()
        at, free, more = Signal(range(len(words) + 1)), Signal(), Signal()
        m.d.comb += [
            free.eq(~port.valid | port.ready),
            more.eq((at != len(words)) & go),
            read.addr.eq(at),
            read.en.eq(free & more),
            port.payload.eq(read.data),
        ]
        with m.If(free):
            m.d.sync += port.valid.eq(more)
            with m.If(more):
                m.d.sync += at.eq(at + 1)
        return at

    def _load(self, m: Module) -> Value:
        """What fills the memories before the first frame, and a limit for it; whether they are full."""
        top, weights = self.design.top, self.design.weights
        m.submodules.weights = memory = Memory(shape=unsigned(8), depth=len(weights), init=list(weights))
        read = memory.read_port()
        self.filled = at = Signal(range(len(weights) + 1))
        patience = self.design.load_limit
        there, left = Signal(), Signal(range(patience + 1), init=patience)
        m.d.comb += [
            read.addr.eq(at + (top.load.valid & top.load.ready)),
            top.load.payload.eq(read.data),
            top.load.valid.eq(there & (at != len(weights))),
        ]
        m.d.sync += [there.eq(1), at.eq(read.addr)]
        with m.If(~top.load__done):
            m.d.sync += left.eq(left - 1)
            with m.If(top.load__failed | (left == 0)):
                m.d.sync += self.failed.eq(1)
        return top.load__done

    def stuck(self, ctx: Any) -> str:
        """What hangs, in words."""
        top, weights = self.design.top, len(self.design.weights)
        if weights and not ctx.get(top.load__done):
            taken = ctx.get(self.filled)
            return wrong_weights(self.design) if ctx.get(top.load__failed) else short_load(taken, weights)
        taken = sum(ctx.get(at) - ctx.get(port.valid) for at, port in zip(self.at, self.ports, strict=True))
        given, wanted = sum(map(ctx.get, self.given)), sum(port.beats for port in self.design.outs)
        return no_answer(self.limit, (taken, self.beats), (given, self.count * wanted))

    def _record(self, m: Module, port: Any, beats: int) -> tuple[Memory, Signal, Value, Signal]:
        """A memory of what passes a stream, whether the last beat of a frame passes now, whether all have
        passed, and how many. Rows that lie wholly in the padding need no input, so the next frame's may
        follow the last."""
        memory = Memory(shape=unsigned(len(port.payload)), depth=self.count * beats, init=[])
        m.submodules += [memory, seen := _Seen(port)]
        write = memory.write_port()
        at, left = Signal(range(self.count * beats + 1)), Signal(range(beats), init=beats - 1)
        moved, last, full = Signal(), Signal(), at == self.count * beats
        m.d.comb += [
            moved.eq(port.valid & port.ready & ~full),
            last.eq(moved & (left == 0)),
            write.addr.eq(at),
            write.data.eq(seen.payload),
            write.en.eq(moved),
        ]
        with m.If(moved):
            m.d.sync += [at.eq(at + 1), left.eq(left - 1)]
            with m.If(left == 0):
                m.d.sync += left.eq(beats - 1)
        return memory, last, full, at

    def read(self, ctx: Any) -> Run:
        """Everything out of the memories."""

        def words(memory: Memory) -> frames.Words:
            return frames.words([ctx.get(memory.data[k]) for k in range(memory.depth)], memory.shape.width)

        def values(memory: Memory, element: Any, lanes: int, shape: tuple[int, ...]) -> IntArray:
            return frames.unpack(words(memory), element, lanes, (*self.lead, *shape))

        d = self.design
        return Run(
            d.gathered([words(memory) for memory in self.outputs], self.lead),
            {
                name: d.taps[name].numbers(
                    values(memory, d.taps[name].element, d.taps[name].lanes, d.taps[name].value.shape)
                )
                for name, memory in self.taps.items()
            },
            [max(ctx.get(times.data[k]) for times in self.times) for k in range(self.count)],
        )
