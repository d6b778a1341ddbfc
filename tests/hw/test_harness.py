"""The harness that tests the parts catches parts that break the stream contract."""

from __future__ import annotations

import pytest
from amaranth import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tests.hw.harness import run_part

DATA = list(range(40))
pytestmark = pytest.mark.filterwarnings("ignore:coroutine")  # testbenches of a simulation that stopped early


class Register(wiring.Component):
    """One register stage, right or with a fault planted."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        signature = stream.Signature(unsigned(8))
        super().__init__({"i": In(signature), "o": Out(signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        free = ~self.o.valid | self.o.ready
        ready = {"ready from valid": free & self.i.valid, "never ready": 0, "ignored ready": 1}
        m.d.comb += self.i.ready.eq(ready.get(self.fault, free))
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += self.o.payload.eq(self.i.payload)
        if self.fault == "payload changes":
            ticks = Signal(8)
            m.d.sync += ticks.eq(ticks + 1)
            with m.If(self.o.valid & ~self.o.ready):
                m.d.sync += self.o.payload.eq(ticks)
        if self.fault == "valid withdrawn":
            with m.If(self.o.valid & ~self.o.ready):
                m.d.sync += self.o.valid.eq(0)
        if self.fault == "one beat twice":
            again = Signal()
            with m.If((self.o.payload == 7) & self.o.ready & ~again):
                m.d.sync += [again.eq(1), self.o.valid.eq(1), self.o.payload.eq(7)]
        return m


def test_a_right_part_passes() -> None:
    assert run_part(Register(""), [DATA], len(DATA))[0] == DATA


@pytest.mark.parametrize(
    "fault",
    [
        "ready from valid",
        "never ready",
        "ignored ready",
        "payload changes",
        "valid withdrawn",
        "one beat twice",
    ],
)
def test_a_faulty_part_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError):
        assert run_part(Register(fault), [DATA], len(DATA), limit=2000)[0] == DATA
