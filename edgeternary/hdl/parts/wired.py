"""A run of layers whose weights are wires."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.fabric import FABRICS
from edgeternary_hw.wired import Wired


class WiredPart(Part[Wired]):
    hardware = Wired

    def area(self, part: Wired) -> Area:
        circuit, live = part.circuit, part.stages.of
        luts = {name: FABRICS[name].luts(circuit, live) for name in ("ice40", "ecp5")}
        ffs = part.stages.flip_flops(circuit, part.roots)
        return Area(luts["ice40"] + 2, ffs, alone=luts["ecp5"] + 2)

    def times(self, part: Wired, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, part.stages.count, last)
