"""A core at a serial port, for any clock: what every board top holds, and what simulators run."""

from amaranth import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from edgeternary.hdl.loading import OFFSET
from edgeternary.hdl.top import Design
from edgeternary_hw import Answer, Element, FlashReader, Link, Skid, Unpack
from edgeternary_hw.serial.uart import bit_time
from edgeternary_hw.unpack import feed


def wire_bits(element: Element) -> int:
    """Bits of an input element on the wire: its own, or the next of 1, 2, 4, 8 and 16."""
    return next(bits for bits in (1, 2, 4, 8, 16) if bits >= element.width)


def hello(design: Design, target: str, digest: str, build: str) -> bytes:
    """The body of the reply to hello; edgeternary.link.frames.Hello reads it."""
    graph = design.graph
    graph.check_single("a serial port", "simulate the core: --on hdl, cxxrtl or verilator")
    answer = _answer(design)
    i, o = graph.input, graph.output_value
    return (
        f"{graph.name}\n{i.type.name} {_shape(i.shape)} {wire_bits(design.i_element)}\n"
        f"{o.type.name} {_shape(o.shape)} {answer.size} {answer.index_bytes}\n"
        f"{target}\n{digest}\n{build}\n"
    ).encode()


class Serial(wiring.Component):
    """The design, whose output are bytes, with the link of docs/protocol.md around it.

    rx, tx  the serial port; ValueError for a clock that is too slow for it
    shown   the low byte of the class of the last answer; all ones if the weights in the flash are not those
            of this design: it then answers that it failed, never with numbers
    cs_n, sck, copi, cipo   where weights come from flash: its pins
    """

    def __init__(self, design: Design, clock_hz: int, baud: int, hello: bytes) -> None:
        bit_time(clock_hz, baud)
        self.design, self.clock_hz, self.baud, self.hello = design, clock_hz, baud, hello
        flash = (
            {"cs_n": Out(1, init=1), "sck": Out(1), "copi": Out(1), "cipo": In(1)} if design.weights else {}
        )
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "shown": Out(8), **flash})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        design, element = self.design, self.design.i_element
        unpack = Unpack(wire_bits(element), element.width, design.i_lanes, design.graph.input.size)
        m.submodules.link = link = Link(
            self.clock_hz, self.baud, unpack.frame_bytes, design.o_beats, self.hello,
            _answer(design).index_bytes, can_fail=bool(design.weights),
        )  # fmt: skip
        m.submodules.unpack = ResetInserter(link.reset)(unpack)
        if design.weights:
            m.submodules.core = design.top
            m.d.comb += design.top.load__clear.eq(link.reset)
            self._flash(m, link)
        else:
            m.submodules.core = ResetInserter(link.reset)(design.top)
        wiring.connect(m, link.feed, unpack.i)
        feed(m, unpack.o, design.top)  # a reset request forgets the states
        m.submodules.answer = answer = ResetInserter(link.reset)(Skid(8))  # cuts the path of ready
        wiring.connect(m, design.top.o, answer.i)
        wiring.connect(m, answer.o, link.answer)
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        m.d.comb += self.shown.eq(
            link.shown | design.top.load__failed.replicate(8) if design.weights else link.shown
        )
        return m

    def _flash(self, m: Module, link: Link) -> None:
        """The weights, once after configuration."""
        top = self.design.top
        m.submodules.flash = flash = FlashReader(OFFSET, self.clock_hz)
        wiring.connect(m, flash.o, top.load)
        m.d.comb += [
            flash.stop.eq(top.load__done | top.load__failed),
            link.starting.eq(~(top.load__done | top.load__failed)),
            link.failed.eq(top.load__failed),
            *(getattr(self, name).eq(getattr(flash, name)) for name in ("cs_n", "sck", "copi")),
            flash.cipo.eq(self.cipo),
        ]


def _answer(design: Design) -> Answer:
    assert design.answer, "the output of a design at a serial port leaves as bytes"
    return design.answer


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
