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
        self._asked: list[list[int]] | None = None
        self._answer: list[list[int]] | None = None
        self._failed, self._why = False, ""
        with long_integers():
            self._simulator = Simulator(design.top)
        self._simulator.add_clock(1e-6)
        self._simulator.add_testbench(self._bench, background=True)

    def frame(self, codes: IntArray, first: bool = False) -> IntArray:
        """The output (*shape) for codes (*shape). `first`: the states are forgotten before."""
        words = self.design.frame(codes, first)
        self._asked, self._answer = [frames.payloads(one) for one in words], None
        while self._answer is None and not self._failed:
            self._simulator.advance()
        if self._answer is None:
            raise EdgeTernaryError(
                f"the hardware of model {self.design.graph.name!r} does not answer",
                self._why,
                "report this: a stream of the design is stuck",
            )
        bits = [len(getattr(self.design.top, port.name).payload) for port in self.design.outs]
        words = [frames.words(beats, width) for beats, width in zip(self._answer, bits, strict=True)]
        return self.design.gathered(words, (1,))[0]

    async def _bench(self, ctx: Any) -> None:
        design = self.design
        ins, outs = ([getattr(design.top, p.name) for p in ports] for ports in (design.ins, design.outs))
        limit = design.limit(1)
        if why := await self._load(ctx):
            self._why, self._failed = why, True
            return
        for o in outs:
            ctx.set(o.ready, 1)
        while True:
            if self._asked is None:
                await ctx.tick()
                continue
            beats, self._asked = self._asked, None
            at, cycles, found = [0] * len(ins), 0, [list[int]() for _ in outs]
            wanted = [port.beats for port in design.outs]
            for i, mine in zip(ins, beats, strict=True):
                ctx.set(i.valid, 1)
                ctx.set(i.payload, mine[0])
            seen = [signal for o in outs for signal in (o.valid, o.payload)]
            while [len(one) for one in found] != wanted:
                _, _, *rest = await ctx.tick().sample(*(i.ready for i in ins), *seen)
                cycles += 1
                for k, (i, mine) in enumerate(zip(ins, beats, strict=True)):
                    if rest[k] and at[k] < len(mine):
                        at[k] += 1
                        if at[k] < len(mine):
                            ctx.set(i.payload, mine[at[k]])
                        else:
                            ctx.set(i.valid, 0)
                for k, one in enumerate(found):
                    valid, payload = rest[len(ins) + 2 * k : len(ins) + 2 * k + 2]
                    if valid:
                        one.append(payload)
                if cycles > limit:
                    taken = (sum(at), sum(map(len, beats)))
                    self._why = no_answer(limit, taken, (sum(map(len, found)), sum(wanted)))
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
