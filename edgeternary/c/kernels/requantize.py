"""requantize on natural inputs, all forms and roundings."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.rescale import requantize_fields
from edgeternary.ops import Requantize

TOUCHES = {"A": 0.9, "B": 1.1, "C": 4.0}  # of Core.touch, for an element, by form
CHANNEL_BYTES = 8  # of tables


class RequantizeNatural(Kernel):
    name = "requantize"
    code = 70
    patterns = (("requantize",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, out = cast(Requantize, match.ops[0]), match.ins[0], match.out
        shrinks = out.type.dtype.itemsize <= x.type.dtype.itemsize
        cost = Cost(out.size * match.core.touch * TOUCHES[op.form(x)], CHANNEL_BYTES * x.channels)
        yield Offer((NATURAL,), NATURAL, cost, in_place=(0,) if shrinks else ())

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = cast(Requantize, match.ops[0]), match.ins[0], match.out
        fields, tables = requantize_fields(op, x, out)
        return Body(tables, {"e": fields, "pixels": x.size // x.channels, "channels": x.channels})
