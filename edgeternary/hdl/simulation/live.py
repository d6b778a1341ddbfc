"""A design in the Amaranth simulator that stays alive: the next frame may depend on the last answer."""

from typing import Any

from amaranth.sim import Simulator

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl import frames
from edgeternary.hdl.simulation.bench import long_integers
from edgeternary.hdl.simulation.stuck import no_answer, short_load, wrong_weights
from edgeternary.hdl.top import Design
from edgeternary.ir import IntArray


class Live:
    """One frame (one step, with states) after the other through `design`, from its reset on.

    cycles  clocks from the first beat in to the last beat out of the last frame, both counted
    """

    def __init__(self, design: Design) -> None:
        self.design, self.cycles = design, 0
        self._asked: list[int] | None = None
        self._answer: list[int] | None = None
        self._failed, self._why = False, ""
        with long_integers():
            self._simulator = Simulator(design.top)
        self._simulator.add_clock(1e-6)
        self._simulator.add_testbench(self._bench, background=True)

    def frame(self, codes: IntArray, first: bool = False) -> IntArray:
        """The output (*shape) for codes (*shape). `first`: the states are forgotten before."""
        words = self.design.frame(codes, first)
        self._asked, self._answer = frames.payloads(words), None
        while self._answer is None and not self._failed:
            self._simulator.advance()
        if self._answer is None:
            raise EdgeTernaryError(
                f"the hardware of model {self.design.graph.name!r} does not answer",
                self._why,
                "report this: a stream of the design is stuck",
            )
        bits = len(self.design.top.o.payload)
        return self.design.outputs(frames.words(self._answer, bits), (1,))[0]

    async def _bench(self, ctx: Any) -> None:
        design, i, o = self.design, self.design.top.i, self.design.top.o
        limit = design.limit(1)
        if why := await self._load(ctx):
            self._why, self._failed = why, True
            return
        ctx.set(o.ready, 1)
        while True:
            if self._asked is None:
                await ctx.tick()
                continue
            beats, self._asked = self._asked, None
            at, cycles, found = 0, 0, list[int]()
            ctx.set(i.valid, 1)
            ctx.set(i.payload, beats[0])
            while len(found) < design.o_beats:
                _, _, ready, valid, payload = await ctx.tick().sample(i.ready, o.valid, o.payload)
                cycles += 1
                if ready and at < len(beats):
                    at += 1
                    if at < len(beats):
                        ctx.set(i.payload, beats[at])
                    else:
                        ctx.set(i.valid, 0)
                if valid:
                    found.append(payload)
                if cycles > limit:
                    taken = (at, len(beats))
                    self._why = no_answer(limit, taken, (len(found), design.o_beats))
                    self._failed = True
                    return
            self.cycles, self._answer = cycles, found

    async def _load(self, ctx: Any) -> str:
        """What fills the memories before the first frame; why they are not full, "" where they are."""
        top, weights = self.design.top, self.design.weights
        if not weights:
            return ""
        at = 0
        for _ in range(self.design.load_limit):
            ctx.set(top.load.valid, at < len(weights))
            ctx.set(top.load.payload, weights[at] if at < len(weights) else 0)
            _, _, ready, done, failed = await ctx.tick().sample(
                top.load.ready, top.load__done, top.load__failed
            )
            if done or failed:
                ctx.set(top.load.valid, 0)
                return "" if done else wrong_weights(self.design)
            at += at < len(weights) and ready
        return short_load(at, len(weights))
