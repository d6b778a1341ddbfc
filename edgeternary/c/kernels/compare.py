"""compare on a natural input: a byte for each bit."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table, narrow
from edgeternary.ops import Compare

TOUCHES = 1.5  # of Core.touch, for a comparison


class CompareNatural(Kernel):
    name = "compare"
    patterns = (("compare",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        flash = sum(table.data.nbytes for table in self._tables(match))
        yield Offer((NATURAL,), NATURAL, Cost(TOUCHES * match.out.size * match.core.touch, flash))

    def _tables(self, match: Match) -> list[Table]:
        op = cast(Compare, match.ops[0])
        return [
            Table("source", narrow(op.source), "the channel that is compared"),
            Table("t", narrow(op.t), "the bit is set from here on"),
        ]

    def body(self, match: Match, offer: Offer) -> Body:
        out = match.out
        fields = {
            "pixels": out.size // out.channels, "channels": match.ins[0].channels, "outputs": out.channels,
            "set": out.type.hi, "unset": out.type.lo,
        }  # fmt: skip
        return Body(self._tables(match), fields)
