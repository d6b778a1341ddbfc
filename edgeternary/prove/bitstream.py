"""An iCE40 bitstream as gates again, with the names of its ports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.devices import PARTS
from edgeternary.hdl.tools import place
from edgeternary.hdl.tools.unpack import unpacked, verilog
from edgeternary.prove import netlists
from edgeternary.prove.gates import Gates

SEEDS = 5  # placements that a bitstream is looked for in


def placed(
    netlist: Path, device: str, name: str, given: bytes, progress: Callable[[str], None]
) -> place.Placed:
    """The placement of a netlist that packs to the bytes that are given; without any, that of seed 1.

    EdgeTernaryError where none gives these bytes.
    """
    part = PARTS[device]
    for count in range(1, SEEDS + 1 if given else 2):
        found = place.place(netlist, part, count, name=name, progress=progress)[-1]
        if not given or place.pack(found, part) == given:
            return found
    raise EdgeTernaryError(
        "the bitstream is not one of this netlist",
        f"none of {SEEDS} placements packs to its bytes",
        "compile it again with the tools that are installed: edgeternary verify-build",
    )


def gates(found: place.Placed, device: str, top: str, tool: str) -> tuple[bytes, Gates]:
    """The bytes of a placement, and the logic that they configure."""
    data = place.pack(found, PARTS[device])
    text = verilog(unpacked(data), place.ports(found), top)
    return data, netlists.of_netlist(text, top, ("ice40/cells_sim.v",), tool)
