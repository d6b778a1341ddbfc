"""The windows of a feature map, for conv2d and pools."""

import numpy as np

from edgeternary.hdl.part import Area, Part, bits
from edgeternary.hdl.times import ALWAYS, Times, spaced
from edgeternary_hw.window import Window


class WindowPart(Part[Window]):
    hardware = Window

    def area(self, part: Window) -> Area:
        p, address = part, part.address_bits
        pads = sum(10 for axis in (0, 1) if p.pad[axis] or p.pad[axis + 2])
        kernel = (1, 1) if p.wide else p.kernel
        counts = (p.beats // p.sections, *kernel, p.passes, p.sections, p.out_width, p.out_height)
        mux = p.taps * p.lane_bits if pads else 0
        adders = (
            sum(address - _zeros(place) for place in p.places if place)
            if p.wide
            else p.taps * address * (p.taps > 1)
        )
        luts = 4 * address + adders + pads + mux + sum(1.5 * bits(n) for n in counts) + 20
        return Area(luts, 4 * address + sum(bits(n) + 1 for n in counts) + 20, alone=luts * 1.3)

    def times(self, part: Window, ins: list[Times], last: Times | None) -> Times:
        """A row of windows begins when the last map row that it reads is stored."""
        row = part.width * part.beats
        ends = [y * part.stride[0] - part.pad[0] + part.kernel[0] for y in range(part.out_height)]
        ready = [ins[0][min(end, part.height) * row - 1] if end > 0 else ALWAYS for end in ends]
        beats = part.out_width * part.steps
        return spaced(np.repeat(np.array(ready, np.int64) + 2 + part.late, beats), 1, last)


def _zeros(number: int) -> int:
    """Bits 0 at its low end: to add it needs none there."""
    return (number & -number).bit_length() - 1
