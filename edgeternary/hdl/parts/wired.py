"""A run of layers whose weights are wires."""

from functools import lru_cache

from edgeternary.hdl.part import Area, Part
from edgeternary.hdl.times import Times, delayed
from edgeternary_hw import Circuit
from edgeternary_hw.fabric import FABRICS
from edgeternary_hw.stages import Stages
from edgeternary_hw.wired import Wired

BESIDE = ("ice40", "xc7")


class WiredPart(Part[Wired]):
    hardware = Wired

    def area(self, part: Wired) -> Area:
        circuit, stages = part.circuit, part.stages
        own = {True: "ice40", False: "ecp5"}  # by whether a carry is beside a LUT
        own[circuit.fabric in BESIDE] = circuit.fabric
        luts, alone = (_luts(own[beside], circuit, stages) for beside in (True, False))
        return Area(
            luts + 2,
            stages.flip_flops(circuit, part.roots),
            alone=alone + 2,
            carries=_carries(own[True], circuit, stages),
        )

    def times(self, part: Wired, ins: list[Times], last: Times | None) -> Times:
        return delayed(ins, part.stages.count, last)


@lru_cache(maxsize=64)  # a plan that folds other layers is tried at many paces
def _carries(fabric: str, circuit: Circuit, stages: Stages) -> int:
    return FABRICS[fabric].carries(circuit, stages.of)


@lru_cache(maxsize=64)
def _luts(fabric: str, circuit: Circuit, stages: Stages) -> float:
    return FABRICS[fabric].luts(circuit, stages.of)
