"""What is kept from step to step: two FIFOs, and a choice of the initial contents or what was written."""

from edgeternary.hdl.part import Area, Part, bits
from edgeternary.hdl.parts import part_of
from edgeternary.hdl.times import Times, spaced
from edgeternary_hw.state import State


class StatePart(Part[State]):
    hardware = State

    def area(self, part: State) -> Area:
        rings = [part_of(ring).area(ring) for ring in (part.ring, part.bits)]
        count = bits(len(part.initial))
        luts = sum(ring.luts for ring in rings) + part.width + 2 * count + 8
        ffs = sum(ring.ffs for ring in rings) + part.width * (2 if part.memories else 1) + count + 4
        return Area(luts, ffs)

    def times(self, part: State, ins: list[Times], last: Times | None) -> Times:
        """Written, and read two cycles later through a register, or two."""
        return spaced(ins[0] + 3 + part.ring.registered, 1, last)
