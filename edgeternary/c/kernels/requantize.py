"""requantize on natural inputs, all forms and roundings."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.rescale import forms as rescale
from edgeternary.ops import Requantize

CHANNEL_BYTES = 12  # of tables


class RequantizeNatural(Kernel):
    name = "requantize"
    code = 70
    patterns = (("requantize",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, out = cast(Requantize, match.ops[0]), match.ins[0], match.out
        shrinks = out.type.dtype.itemsize <= x.type.dtype.itemsize
        cost = Cost(out.size * rescale.cycles(op, x, match.core), CHANNEL_BYTES * x.channels)
        yield Offer((NATURAL,), NATURAL, cost, in_place=(0,) if shrinks else ())

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = cast(Requantize, match.ops[0]), match.ins[0], match.out
        found = rescale.rescaling(op, x, out, match.core)
        return Body(found.tables, {"e": found.fields, "pixels": x.size // x.channels, "channels": x.channels})
