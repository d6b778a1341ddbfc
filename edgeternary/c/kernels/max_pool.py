"""max_pool on natural inputs, with channels that take the minimum."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import MaxPool

ROW_TOUCHES, TOUCHES = 0.5, 0.8  # of Core.touch, for a tap of a window of one row, and of others


class MaxPoolNatural(Kernel):
    name = "max_pool"
    code = 200
    patterns = (("max_pool",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op = cast(MaxPool, match.ops[0])
        taps = op.kernel[0] * op.kernel[1]
        effort = ROW_TOUCHES if op.kernel[0] == 1 else TOUCHES
        cost = Cost(match.out.size * taps * match.core.touch * effort, match.out.channels)
        yield Offer((NATURAL,), NATURAL, cost, in_place=in_place(op))

    def body(self, match: Match, offer: Offer) -> Body:
        op = cast(MaxPool, match.ops[0])
        mixed = 0 < int(op.minimum.sum()) < op.minimum.size
        tables = [Table("minimum", op.minimum, "1: this channel takes the minimum")] if mixed else []
        fields = {
            "op": op,
            "x": match.ins[0],
            "out": match.out,
            "mixed": mixed,
            "all_minimum": op.minimum[0] == 1,
        }
        return Body(tables, fields)


def in_place(op: MaxPool) -> tuple[int, ...]:
    """The input may be written over when there are no pads above and left.

    Output pixel (y, x) then lies at or before input pixel (y * sy, x * sx), where its own window starts, and
    later windows start later.
    """
    return (0,) if op.pad[0] == 0 and op.pad[1] == 0 else ()
