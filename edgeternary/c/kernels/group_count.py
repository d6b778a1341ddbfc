"""group_count on a natural input."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table, narrow
from edgeternary.ops import GroupCount


class GroupCountNatural(Kernel):
    name = "group_count"
    patterns = (("group_count",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        flash = sum(table.data.nbytes for table in self._tables(match))
        yield Offer((NATURAL,), NATURAL, Cost(match.ins[0].size * match.core.touch, flash))

    def _tables(self, match: Match) -> list[Table]:
        op = cast(GroupCount, match.ops[0])
        return [
            Table("ends", narrow(op.ends), "where the groups end"),
            Table("bias", narrow(op.bias), "what each count starts from"),
        ]

    def body(self, match: Match, offer: Offer) -> Body:
        return Body(self._tables(match), {"groups": match.out.size})
