"""A sum of two tables' entries, requantized, on natural operands: see edgeternary/c/tabled.py."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.tabled import Tabled
from edgeternary.c.tables import Table

TOUCHES = 0.75  # of Core.touch, for an element beside its requantize
CHANNEL_BYTES = 8  # of tables


class TabledNatural(Kernel):
    """Only the entries that the operands' intervals reach are stored."""

    name = "tabled"
    code = 130
    patterns = (("tabled",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, out = cast(Tabled, match.ops[0]), match.out
        size = out.type.dtype.itemsize
        in_place = tuple(i for i, x in enumerate(match.ins) if size <= x.type.dtype.itemsize)
        total = op.total(match.ins)
        entries = sum(x.hi - x.lo + 1 for x in match.ins)
        flash = entries * total.type.dtype.itemsize + CHANNEL_BYTES * out.channels
        each = TOUCHES * match.core.touch + rescale.cycles(op.after, total, match.core)
        yield Offer((NATURAL, NATURAL), NATURAL, Cost(out.size * each, flash), in_place=in_place)

    def body(self, match: Match, offer: Offer) -> Body:
        op = cast(Tabled, match.ops[0])
        found = rescale.rescaling(op.after, op.total(match.ins), match.out, match.core)
        sides = []
        for name, table, x in zip(("first", "second"), op.tables, match.ins, strict=True):
            reached = table.table[x.lo - table.offset : x.hi - table.offset + 1]
            sides.append(Table(name, reached, f"for x = {x.lo} to {x.hi}", once=True))
        firsts = [x.lo for x in match.ins]
        pixels = match.out.size // match.out.channels
        more = {"e": found.fields, "pixels": pixels, "channels": match.out.channels, "firsts": firsts}
        return Body([*sides, *found.tables], more)
