"""What is synthesised, placed and routed for one FPGA: a core alone, or a board's whole design."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeternary.boards import Board
from edgeternary.hdl.constraints import Constraints
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier

if TYPE_CHECKING:
    from edgeternary.hdl.board_top import BoardDesign
    from edgeternary.hdl.devices import Part
    from edgeternary.hdl.top import Design


@dataclass(frozen=True)
class Chip:
    """A design and everything that is beside it on one FPGA.

    text, top  Verilog or RTLIL of the whole, and the name of its module
    device     part or family that it is synthesised for
    part       that it is placed on; None: it is only synthesised
    pins       constraints in the family's own format; "": the placer chooses
    mhz        that it has to reach; 0: any
    board      whose serial link is beside the core and whose clock is fixed; None: the core alone
    room       (title, LUTs, block RAMs) of the FPGA; None: only its family is known
    """

    graph: Graph
    design: Design
    text: str
    top: str
    device: str
    part: Part | None = None
    pins: str = ""
    mhz: float = 0.0
    board: Board | None = None
    room: tuple[str, int, int] | None = None


def core(graph: Graph, design: Design, asked: Constraints, board: Board | None = None) -> Chip:
    """The core alone, as its files have it. board: whose FPGA it has to fit, where only a family is named."""
    from edgeternary.hdl import devices, embedded, emit
    from edgeternary.hdl.tools import place

    part = devices.PARTS.get(asked.device)
    pins = place.free_pins(part, embedded.PORTS if asked.embedded else design.ports) if part else ""
    fpga = board.fpga if board else None
    room = (board.title, fpga.luts, fpga.ram_blocks) if board and fpga else None
    if part:
        room = (part.title, part.luts, part.ram_blocks)
    mhz = asked.fps * design.cycles / 1e6
    text, top = emit.design_verilog(design), identifier(graph.name)
    return Chip(graph, design, text, top, asked.device, part, pins, mhz, room=room)


def on_board(graph: Graph, top: BoardDesign) -> Chip:
    """A core with the serial link of a board."""
    from edgeternary.hdl.board_top import TOP

    text = re.sub(r"^ *parameter \\SIM_DEVICE .*\n", "", top.rtlil, flags=re.M)  # which yosys 0.52 lacks
    part, mhz = top.part, top.board.clock_hz / 1e6
    room = (part.title, part.luts, part.ram_blocks)
    return Chip(graph, top.design, text, TOP, part.name, part, top.pins, mhz, top.board, room)
