"""The FPGAs that designs are built for, which devices.toml lists: families, and their parts.

Figures of the parts are those that nextpnr counts (`nextpnr-ice40 --up5k --json empty.json` prints them);
the sources are named in the board files.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edgeternary.errors import USAGE, EdgeTernaryError, nearest


@dataclass(frozen=True)
class Family:
    """An FPGA family as yosys sees it.

    synth        the synthesis commands, with DSP inference on; it ends before its own report
    luts         LUT cells, and how many LUTs each other cell type occupies
    ffs, rams    prefixes of the names of flip-flops and block RAMs
    multipliers  prefixes of the names of DSP cells
    cells        Verilog models of the cells, below yosys's share folder
    shapes       of a block RAM: (words, bits)
    small_ram    LUTs that a RAM of 16 words of 4 bits takes; 0 where there is none
    slow_ram     block RAMs answer late in the cycle, so that nothing but a register may follow
    lone_carry   an adder's LUT cannot also choose: counters and accumulators cost more than on iCE40
    opaque       prefixes of the names of cells whose model there has ports, but does nothing
    single_port  the cell of a RAM that no bitstream fills
    alone        the share of flip-flops that have a logic cell without a LUT; 0 where cells are not scarce
    output_registers  whether block RAMs take in the flip-flops after them, see hdl.tools.output_registers
    """

    name: str
    synth: str
    luts: Mapping[str, int]
    ffs: tuple[str, ...]
    rams: tuple[str, ...]
    multipliers: tuple[str, ...]
    cells: tuple[str, ...] = ()
    shapes: tuple[tuple[int, int], ...] = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
    small_ram: int = 0
    slow_ram: bool = False
    lone_carry: bool = False
    opaque: tuple[str, ...] = ()
    single_port: str = ""
    alone: float = 0.0
    output_registers: bool = False


@dataclass(frozen=True)
class Part:
    """One FPGA.

    place       arguments of nextpnr that choose it; () for a part without an open place and route
    luts        logic cells of one LUT4 (of xc7: LUT6) and one flip-flop each
    ram_blocks  block RAMs of `ram_bits`
    pins        input bits a cycle that its package leaves for pixels, beside clock, controls and answer
    aim         MHz that the placer works towards
    clock       MHz that designs are planned for: what they reach in practice
    single_port_rams  of 16,384 words of 16 bits; no bitstream fills them
    chip        the name that the packer has for it, where it asks for one
    slower      how many times the delays of its family's fastest parts (edgeternary_hw.fabric) it has
    """

    name: str
    title: str
    family: str
    luts: int
    ram_blocks: int
    ram_bits: int
    pins: int
    aim: int
    clock: int
    place: tuple[str, ...] = ()
    single_port_rams: int = 0
    chip: str = ""
    slower: float = 1.0

    def period(self, clock: float = 0.0) -> float:
        """ns of a cycle at `clock` MHz, or at the part's own, as the family's fastest parts count them."""
        return 1000 / (clock or self.clock) / self.slower


FILE = tomllib.loads(Path(__file__).with_name("devices.toml").read_text(encoding="utf-8"))


def _named(records: dict[str, Any]) -> dict[str, Any]:
    return {name: {"name": name, **record} for name, record in records.items()}


FAMILIES = msgspec.convert(_named(FILE["families"]), dict[str, Family])
PARTS = msgspec.convert(_named(FILE["parts"]), dict[str, Part])
DEVICES = (*PARTS, *FAMILIES)


def family(name: str) -> Family:
    """The family called `name`, or that of the part called so; EdgeTernaryError (code 2) if there is none."""
    return FAMILIES[PARTS[name].family if name in PARTS else _known(name)]


def part(name: str) -> Part:
    """The part called `name`; EdgeTernaryError (code 2) for a family or an unknown name."""
    if _known(name) not in PARTS:
        parts = [p.name for p in PARTS.values() if p.family == name]
        raise EdgeTernaryError(
            f"{name} is a family, not one FPGA",
            "place and route needs to know the part",
            f"choose {', '.join(parts)}" if parts else "no open place and route: synthesis figures only",
            USAGE,
        )
    return PARTS[name]


def _known(name: str) -> str:
    if name not in DEVICES:
        raise EdgeTernaryError(
            f"unknown device {name[:40]!r}",
            f"known are {', '.join(DEVICES)}",
            nearest(name, DEVICES),
            USAGE,
        )
    return name
