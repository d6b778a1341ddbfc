"""A run of layers whose weights are wires."""

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw.fabric import FABRICS
from edgeternary_hw.wired import Wired

BESIDE = ("ice40", "xc7")


class WiredPart(Part[Wired]):
    hardware = Wired

    def area(self, part: Wired) -> Area:
        circuit, live = part.circuit, part.stages.of
        own = {True: "ice40", False: "ecp5"}  # by whether a carry is beside a LUT
        own[circuit.fabric in BESIDE] = circuit.fabric
        luts, alone = (FABRICS[own[beside]].luts(circuit, live) for beside in (True, False))
        return Area(luts + 2, part.stages.flip_flops(circuit, part.roots), alone=alone + 2)

    def times(self, part: Wired, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, part.stages.count, last)
