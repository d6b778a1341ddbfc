"""The windows of a feature map without pads, all taps at once, out of a shift register."""

import numpy as np

from edgeternary.hdl.part import Area, Part, bits
from edgeternary.hdl.times import Times, spaced
from edgeternary_hw.line_buffer import LineBuffer


class LineBufferPart(Part[LineBuffer]):
    hardware = LineBuffer

    def area(self, part: LineBuffer) -> Area:
        counts = [bits(part.height), bits(part.width)]
        left = [bits(max(k, s)) for k, s in zip(part.kernel, part.stride, strict=True)]
        held = part.held * part.lane_bits
        control = sum(counts) + sum(left)
        return Area(2 * control + 6, held + control + 3, shifted=held - part.lane_bits)

    def times(self, part: LineBuffer, ins: list[Times], last: Times | None) -> Times:
        """A window comes a cycle after its last pixel."""
        rows, columns = (
            np.arange(count) * stride + kernel - 1
            for count, stride, kernel in zip(
                (part.out_height, part.out_width), part.stride, part.kernel, strict=True
            )
        )
        ends = (rows[:, None] * part.width + columns).reshape(-1)
        return spaced(ins[0][ends] + 1, 1, last)
