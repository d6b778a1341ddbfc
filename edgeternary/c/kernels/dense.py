"""dense on natural inputs: the readable reference, for every type of input and weight."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.ops import Dense


class DenseNatural(Kernel):
    name = "dense"
    code = 120
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op = cast(Dense, match.ops[0])
        if not accumulator.fits(match, op):
            return
        cycles = op.weights.size * match.core.mac + accumulator.epilogue_cycles(match)
        flash = int(weights.rows(op.weights, op.weight_type).data.nbytes) + accumulator.epilogue_flash(match)
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, Cost(cycles, flash))

    def body(self, match: Match, offer: Offer) -> Body:
        op = cast(Dense, match.ops[0])
        table, after = accumulator.weights_and_epilogue(match, offer, op)
        fields = {
            "inputs": op.weights.shape[1],
            "outputs": op.weights.shape[0],
            "weight_type": op.weight_type,
        }
        return Body([table, *after.tables], {**fields, "w": table, "e": after.fields})
