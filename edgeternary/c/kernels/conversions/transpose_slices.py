"""Slices to bit planes and back: squares of 32 pixels by 32 channels are transposed."""

from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.kernels.conversions.pack_slices import fields
from edgeternary.c.layouts import Layout, Planes, planes
from edgeternary.c.slices import counters as slices
from edgeternary.c.slices.layout import Slices
from edgeternary.cores import Core
from edgeternary.ir import Value, encoding

SQUARE = 68  # cycles of a square, in touches


class TransposeSlices(Conversion):
    name = "transpose_slices"

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        layouts = {type(source): source, type(target): target}
        sliced = layouts.get(Slices)
        if set(layouts) != {Slices, Planes} or layouts[Planes] != planes(value):
            return None
        assert isinstance(sliced, Slices)
        if value.type.planes > slices.MAX_PLANES:
            return None
        squares = sliced.split * encoding.words(value.channels) * value.type.planes
        return Offer((source,), target, Cost(squares * SQUARE * core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        to_slices = isinstance(offer.out, Slices)
        layout = offer.out if to_slices else offer.ins[0]
        assert isinstance(layout, Slices)
        words = encoding.words(match.out.channels)
        return Body(fields={**fields(match.out, layout), "words": words, "to_slices": to_slices})
