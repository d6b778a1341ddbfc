"""Natural elements to slices: eight pixels of four channels at a time."""

from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, Natural
from edgeternary.c.slices import counters as slices
from edgeternary.c.slices.layout import Slices
from edgeternary.cores import Core
from edgeternary.ir import Value

TENTHS = 10
ELEMENT, PLANE, GROUP = 1, 1, 4  # tenths of Core.touch: an element, each plane, up to four channels at once


class PackSlices(Conversion):
    name = "pack_slices"

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Natural) and isinstance(target, Slices)):
            return None
        if value.type.planes > slices.MAX_PLANES:
            return None
        return Offer((NATURAL,), target, Cost(cycles(value, core)))

    def body(self, match: Match, offer: Offer) -> Body:
        assert isinstance(offer.out, Slices)
        return Body(fields=fields(match.out, offer.out))


def cycles(value: Value, core: Core) -> float:
    """Of either direction."""
    together = 1 if value.channels % 4 else 4
    tenths = ELEMENT + PLANE * value.type.planes + GROUP / together
    return value.size * core.touch / TENTHS * tenths


def fields(value: Value, layout: Slices) -> dict[str, object]:
    """What both directions say of the layout."""
    return {
        "value": value, "type": value.type, "layout": layout, "pixels": value.size // value.channels,
        "channels": value.channels, "at_once": 1 if value.channels % 4 else 4, "planes": value.type.planes,
        "ctype": value.type.ctype,
    }  # fmt: skip
