"""Bit planes to lanes, borders included: bits of neighbouring channels are taken apart."""

from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.lanes import bits as lanes_bits
from edgeternary.c.lanes.border import runs
from edgeternary.c.layouts import Lanes, Layout, Planes, planes, tall
from edgeternary.cores import Core
from edgeternary.ir import Value, encoding


class PlanesLanes(Conversion):
    """Lanes hold codes from 0 up: of a ternary code bit 0 says zero and bit 1 plus."""

    name = "planes_lanes"

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Planes) and isinstance(target, Lanes)) or source != planes(value):
            return None
        if not lanes_bits.possible(value):
            return None
        words = target.rows * tall(value.shape)[1] * value.channels
        return Offer((source,), target, Cost(lanes_bits.cycles(value, target.lanes, words, core)))

    def body(self, match: Match, offer: Offer) -> Body:
        value, layout = match.out, offer.out
        assert isinstance(layout, Lanes)
        _, width, channels = tall(value.shape)
        code = layout.pad_word(value)
        fields = {
            "type": value.type, "layout": layout, "planes": value.type.planes, "width": width,
            "channels": channels, "words": encoding.words(channels), "runs": runs(layout, value),
            "left": layout.left * channels, "right": (layout.width - layout.left - width) * channels,
            "pad": code, "pads": ["~0u" if code >> k & 1 else "0" for k in range(value.type.planes)],
        }  # fmt: skip
        return Body(fields=fields)
