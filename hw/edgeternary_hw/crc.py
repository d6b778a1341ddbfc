"""CRC-32: a bit a cycle, for a byte of a serial port takes longer than that anyway, or a byte at once."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32", "after_byte"]

POLYNOMIAL = 0xEDB88320  # of IEEE 802.3, the low bit first
RESIDUE = 0xDEBB20E3  # what the register holds after data and their own CRC


class Crc32(wiring.Component):
    """The CRC of Ethernet and zlib over the bytes of i; each takes eight cycles more.

    clear   start again
    flush   the register moves on by a byte with each byte of i and takes nothing in: `byte` are then the
            four bytes of the CRC in turn, as they go over the wire
    right   the bytes so far ended with the CRC of those before
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(8))),
                "clear": In(1),
                "flush": In(1),
                "byte": Out(8),
                "right": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        crc, left = Signal(32, init=0xFFFFFFFF), Signal(range(9))
        m.d.comb += [self.i.ready.eq(left == 0), self.byte.eq(~crc[:8]), self.right.eq(crc == RESIDUE)]
        feedback = crc[0] & ~self.flush
        with m.If(self.clear):
            m.d.sync += [crc.eq(crc.init), left.eq(0)]
        with m.Elif(left != 0):
            m.d.sync += [left.eq(left - 1), crc.eq(crc[1:] ^ Mux(feedback, Const(POLYNOMIAL, 32), 0))]
        with m.Elif(self.i.valid):
            m.d.sync += [left.eq(8), crc.eq(Cat(crc[:8] ^ self.i.payload, crc[8:]))]
        return m


def after_byte(crc: Value, byte: Value) -> Value:
    """The register after all eight bits of a byte at once: each bit of it is the sum of some bits of both."""
    state = [{("crc", k)} for k in range(32)]
    for k in range(8):
        feedback = state[0] ^ {("byte", k)}
        state = [
            (state[j + 1] if j < 31 else set()) ^ (feedback if POLYNOMIAL >> j & 1 else set())
            for j in range(32)
        ]
    sources = {"crc": crc, "byte": byte}
    return Cat(*(Cat(*(sources[name][k] for name, k in sorted(terms))).xor() for terms in state))
