"""The matrix-vector unit of dense and conv2d."""

import numpy as np

from edgeternary.hdl.luts import matrix
from edgeternary.hdl.memory import decoder_luts
from edgeternary.hdl.part import Area, Part, bits
from edgeternary.hdl.times import Times, spaced
from edgeternary_hw.mvu import MatrixVector

CONTROL = 15  # LUTs of its counters where a carry cell only adds


class MatrixVectorPart(Part[MatrixVector]):
    hardware = MatrixVector

    def area(self, part: MatrixVector) -> Area:
        """Terms, two LUTs for each bit of a full adder, adders on the carry chain, the results' way out."""
        p = part
        groups, left = p.pe // p.outputs, matrix.left(p)
        out = p.pe * p.acc_width
        if left is None:
            shape = p.shape
            totals = p.pe * p.total_width if p.adds_totals else 0
            free = sum(s.size for s in shape.stages[0] if p.one_sided(s.low))
            luts = sum(s.size for s in shape.stages[0]) - free + 2 * shape.adder_bits + totals
            ffs = shape.stage_bits + totals
        else:
            totals = sum(left.two) if p.adds_totals else 0
            luts = left.terms + left.adders + totals
            ffs = left.ffs + totals
            if p.beats == 1:
                out = sum(max(pair) for pair in zip(left.two, left.one, strict=True))
        luts += out * (p.beats > 1) + out * (groups > 1 or p.full)
        ffs += (2 + p.full) * out + len(p.i.payload)
        if p.inside:
            luts += len(p.i.payload) + 5
            ffs += 2 * len(p.i.payload) + 2
        if p.packed:
            luts += decoder_luts(p)
            ffs += 2 * p.pe * p.simd + len(p.i.payload)
        if not p.raw:
            luts += p.outputs * p.out_width + 8
            ffs += p.outputs * (p.acc_width + p.out_width)
        luts += 3 * bits(p.beats) + 3 * bits(groups) + 12
        loaded = p.pe * p.total_width * (p.beats > 1) / 2  # half a LUT a bit loads an accumulator
        return Area(luts, ffs + 20, alone=luts + loaded + CONTROL)

    def times(self, part: MatrixVector, ins: list[Times], last: Times | None) -> Times:
        """A pass ends `depth` stages after its last beat; a cycle later its sums move to the way out, where
        those of the pass before must have left."""
        groups = part.pe // part.outputs
        finished = ins[0][part.beats - 1 :: part.beats] + part.latency
        before = None if last is None else last[-1:] - (groups - 1)
        starts = spaced(finished, groups + (groups > 1), before)
        return (starts[:, None] + np.arange(groups)).reshape(-1)
