"""Memories that no bitstream can fill, in the single-port RAM of the iCE40 UltraPlus: a port that fills them.

SB_SPRAM256KA has 16,384 words of 16 bits and one port (Lattice FPGA-TN-02022, iCE40 SPRAM Usage Guide).
"""

from dataclasses import dataclass

from amaranth import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory

__all__ = ["DEPTH", "SINGLE", "WORD", "Filling", "FillBus", "columns"]

DEPTH = 16384  # words of one RAM
WORD = 16  # and the bits of each
SINGLE = "huge"  # what yosys calls the style


def columns(width: int) -> int:
    """RAMs side by side that make words of `width` bits."""
    return -(-width // WORD)


class FillBus:
    """What a loader tells all memories: `data` goes to `address` of the columns whose bit of `write` is 1.

    filling   1 until all of them are full; nobody reads before
    """

    def __init__(self, depth: int, count: int) -> None:
        self.address = Signal(range(max(depth, 2)), name="fill_address")
        self.data = Signal(WORD, name="fill_data")
        self.write = Signal(count, name="fill_write")
        self.filling = Signal(init=1)


@dataclass(frozen=True)
class Filling:
    """The memory whose columns are those of `bus` from `first` on."""

    bus: FillBus
    first: int

    def rom(self, m: Module, depth: int, width: int, address: Value, enable: Value, name: str) -> Value:
        """The word at `address`, in the cycle after `enable`; what was read before stays until then."""
        words = []
        bus, bits = self.bus, (depth - 1).bit_length()
        at = Signal(bits, name=f"{name}_at")
        m.d.comb += at.eq(Mux(bus.filling, bus.address, address))
        for k in range(columns(width)):
            size = min(WORD, width - k * WORD)
            memory = Memory(shape=unsigned(size), depth=depth, init=[], attrs={"ram_style": SINGLE})
            m.submodules[f"{name}{k}"] = memory
            fill, read = memory.write_port(), memory.read_port()
            write = bus.write[self.first + k]
            m.d.comb += [
                *(fill.addr.eq(at), fill.data.eq(bus.data), fill.en.eq(write)),
                *(read.addr.eq(at), read.en.eq(enable & ~write)),
            ]
            words.append(read.data)
        return Cat(*words)
