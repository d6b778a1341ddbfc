"""dense on bit planes: weights of -1, 0, +1 and activations of few bits, by counting ones."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator, popcount
from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.layouts import Planes, planes
from edgeternary.c.popcount import Row
from edgeternary.ops import Dense


class DensePlanes(Kernel):
    """Reads its input flat, or grouped as the pixels that a reshape has left it in."""

    name = "dense_planes"
    code = 430
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        for layout in self._layouts(match):
            row = Row(x.size, layout.group)
            if popcount.possible(match, row):
                for out in accumulator.output_layouts(match):
                    yield Offer((layout,), out, popcount.cost(match, row, len(op.bias)))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, layout = cast(Dense, match.ops[0]), match.ins[0], cast(Planes, offer.ins[0])
        row = Row(x.size, layout.group)
        table, after = popcount.constants(match, offer.out, row)
        fields = {
            "outputs": len(op.bias), "planes": x.type.planes, "weight_type": op.weight_type,
            "schedule": popcount.schedule(match, row), "e": after.fields,
        }  # fmt: skip
        return Body([table, *after.tables], fields)

    def _layouts(self, match: Match) -> list[Planes]:
        """Flat, and every grouping in which the input has arrived."""
        arrived = [layout for layout in match.arriving[0] if isinstance(layout, Planes)]
        return list(dict.fromkeys([planes(match.ins[0]), *arrived]))
