"""Lanes to natural elements."""

from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.layouts import NATURAL, Lanes, Layout, Natural, lane_unit, tall
from edgeternary.cores import Core
from edgeternary.ir import Value

TOUCHES = 0.5  # of Core.touch, for an element


class UnpackLanes(Conversion):
    name = "unpack_lanes"
    code = 120

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Lanes) and isinstance(target, Natural)):
            return None
        return Offer((source,), NATURAL, Cost(TOUCHES * value.size * core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        value, layout = match.out, offer.ins[0]
        assert isinstance(layout, Lanes)
        height, width, channels = tall(value.shape)
        ends = [*layout.starts[1:], layout.top + height]
        parts = []
        for lane, (start, end) in enumerate(zip(layout.starts, ends, strict=True)):
            first = max(start, layout.top)  # padded row
            if end > first:
                word = (first - start) * layout.width + layout.left
                parts.append({"shift": layout.bits * lane, "rows": end - first, "start": word * channels})
        fields = {
            "value": value, "layout": layout, "parts": parts, "row": width * channels,
            "words": layout.width * channels, "unit": lane_unit(value.type), "ctype": value.type.ctype,
            "mask": 2**layout.bits - 1,
        }  # fmt: skip
        return Body(fields=fields)
