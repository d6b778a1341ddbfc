"""The FPGAs that designs are built for: families as yosys sees them, and parts that nextpnr places on.

Figures of the parts are those that nextpnr counts (`nextpnr-ice40 --up5k --json empty.json` prints them);
the sources are named in the board files.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeternary.errors import USAGE, EdgeTernaryError


@dataclass(frozen=True)
class Family:
    """An FPGA family as yosys sees it.

    synth        the synthesis command, with DSP inference on; it ends before its own report
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


FAMILIES = {
    "ice40": Family(
        "ice40",
        "synth_ice40 -dsp -top {top} -run :check",
        {"SB_LUT4": 1},  # a carry sits beside the LUT of its adder
        ("SB_DFF",),
        ("SB_RAM40_4K",),
        ("SB_MAC16",),
        ("ice40/cells_sim.v",),
        ((256, 16), (512, 8), (1024, 4), (2048, 2)),
        single_port="SB_SPRAM256KA",
        alone=0.4,  # 0.32 to 0.45 of six placed designs, carries without a LUT included
    ),
    "ecp5": Family(
        "ecp5",
        "synth_ecp5 -nowidelut -top {top} -run :check",  # wide LUTs double the LUTs of popcounts
        {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},  # a carry cell and a small RAM take the place of LUTs
        ("TRELLIS_FF",),
        ("DP16KD", "PDPW16KD"),
        ("MULT9X9D", "MULT18X18D", "ALU24B", "ALU54B"),
        ("ecp5/cells_sim.v",),
        small_ram=6,
        slow_ram=True,
        lone_carry=True,
        opaque=("DP16KD", "PDPW16KD"),
        output_registers=True,
    ),
    "gowin": Family(
        "gowin",
        "synth_gowin -nowidelut -top {top} -run :check",  # wide LUTs: four times the LUTs of popcounts
        {"LUT1": 1, "LUT2": 1, "LUT3": 1, "LUT4": 1, "ALU": 1, "RAM16S1": 1, "RAM16S2": 2, "RAM16S4": 4,
         "RAM16SDP1": 1, "RAM16SDP2": 2, "RAM16SDP4": 4},
        ("DFF",),
        ("DPB", "DPX9B", "SDPB", "SDPX9B", "SPX9", "pROM", "pROMX9", "SP"),
        ("MULT", "MULTADDALU", "MULTALU", "ALU54D", "PADD"),
        ("gowin/cells_sim.v",),
        small_ram=4,
        slow_ram=True,
        lone_carry=True,
        opaque=("DPB", "DPX9B", "SDPB", "SDPX9B", "pROM"),
    ),
    "xc7": Family(
        "xc7",
        "synth_xilinx -flatten -family xc7 -noiopad -noclkbuf -top {top} -run :check",
        {**{f"LUT{k}": 1 for k in range(1, 7)}, "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2,
         "RAM128X1D": 4, "SRL16E": 1, "SRLC32E": 1},
        ("FD",),
        ("RAMB18", "RAMB36"),
        ("DSP48",),
        ("xilinx/cells_sim.v",),
        small_ram=4,
        slow_ram=True,
        opaque=("RAMB18", "RAMB36"),
    ),
}  # fmt: skip


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
    """

    name: str
    title: str
    family: str
    place: tuple[str, ...]
    luts: int
    ram_blocks: int
    ram_bits: int
    pins: int
    aim: int
    clock: int
    single_port_rams: int = 0
    chip: str = field(default="", kw_only=True)


def _ice40(name: str, package: str, *rest: int) -> Part:
    title = f"Lattice iCE40{name.upper()}-{package.upper()}"
    return Part(name, title, "ice40", (f"--{name}", "--package", package), *rest)


def _ecp5(size: int, *rest: int) -> Part:
    place = (f"--{size}k", "--package", "CABGA381", "--speed", "6")
    return Part(f"ecp5-{size}f", f"Lattice LFE5U-{size}F-6BG381", "ecp5", place, *rest)


def _gowin(name: str, device: str, chip: str, *rest: int) -> Part:
    place = ("--device", device, "--vopt", f"family={chip}")
    return Part(name, f"Gowin {device}", "gowin", place, *rest, chip=chip)


_PARTS = (
    _ice40("hx1k", "tq144", 1280, 16, 4096, 64, 150, 120),
    _ice40("hx4k", "tq144", 3520, 20, 4096, 64, 150, 120),
    _ice40("up5k", "sg48", 5280, 30, 4096, 16, 48, 42, 4),
    _ice40("hx8k", "ct256", 7680, 32, 4096, 64, 150, 120),
    _ecp5(25, 24288, 56, 18432, 64, 150, 120),
    _ecp5(45, 43848, 108, 18432, 64, 150, 120),
    _ecp5(85, 83640, 208, 18432, 64, 150, 120),
    _gowin("gw1nr-9", "GW1NR-LV9QN88PC6/I5", "GW1N-9C", 8640, 26, 18432, 16, 100, 60),
    _gowin("gw2ar-18", "GW2AR-LV18QN88C8/I7", "GW2A-18C", 20736, 46, 18432, 16, 100, 60),
    Part("xc7a35t", "AMD XC7A35T", "xc7", (), 20800, 100, 18432, 64, 100, 100),
)  # fmt: skip

PARTS = {part.name: part for part in _PARTS}
DEVICES = (*PARTS, *FAMILIES)


def family(name: str) -> Family:
    """The family called `name`, or that of the part called so; EdgeTernaryError (code 2) if there is none."""
    return FAMILIES[PARTS[name].family if name in PARTS else _known(name)]


def part(name: str) -> Part:
    """The part called `name`; EdgeTernaryError (code 2) for a family or an unknown name."""
    if _known(name) not in PARTS:
        parts = [p.name for p in _PARTS if p.family == name]
        raise EdgeTernaryError(
            f"{name} is a family, not one FPGA",
            "place and route needs to know the part",
            f"choose {', '.join(parts)}" if parts else "no open place and route: synthesis figures only",
            USAGE,
        )
    return PARTS[name]


def _known(name: str) -> str:
    if name not in DEVICES:
        near = difflib.get_close_matches(name.lower(), DEVICES, 1, 0.4)
        raise EdgeTernaryError(
            f"unknown device {name[:40]!r}",
            f"known are {', '.join(DEVICES)}",
            f"did you mean {near[0]}?" if near else "choose one of them",
            USAGE,
        )
    return name
