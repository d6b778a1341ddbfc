"""dense of integer weights (2 to 8 bits) on natural inputs, by multiply-accumulate."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import integers
from edgeternary.ops import Dense


class DenseInt(Kernel):
    name = "dense_int"
    code = 450
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op = cast(Dense, match.ops[0])
        if not integers.possible(match, op):
            return
        cost = integers.cost(match, op, 1)
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, cost, scratch=integers.scratch(op, match.core))

    def body(self, match: Match, offer: Offer) -> Body:
        op = cast(Dense, match.ops[0])
        codes, after = integers.codes_and_epilogue(match, offer, op)
        fields = {**integers.fields(match, op, after), "x": match.ins[0]}
        return Body([integers.table(match, op, codes), *after.tables], fields)
