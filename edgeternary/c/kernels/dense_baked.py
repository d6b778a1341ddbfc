"""dense with weights of -1, 0, +1: the weights become additions and subtractions of registers."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c import accumulator, straight, weights
from edgeternary.c.assembly import statements
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL, Natural
from edgeternary.ops import Dense

# Weights other than 0. Few-bit inputs have bit planes and binary weights tables of eight, next to which much
# code gains little; next to the tables of five of ternary weights on 8-bit inputs it takes half the
# instructions (32,768 terms are 96 KB of code).
MAX_TERMS = {True: 32768, False: 4096}  # by whether weights are ternary and inputs have more than FEW_BITS
FEW_BITS = 4
STORE, CALL = 4, 40  # cycles of storing a sum, and of a call
LOAD_BYTES, FRAME_BYTES = 4, 60  # of code: of a load, and of the function without its loads and additions


class DenseBaked(Kernel):
    """A weight of zero costs nothing, but code grows with the others, by two or three bytes each."""

    name = "dense_baked"
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, core = cast(Dense, match.ops[0]), match.ins[0], match.core
        outputs, inputs = op.weights.shape
        terms = int(np.count_nonzero(op.weights))
        most = MAX_TERMS[op.weight_type == "ternary" and x.type.bits > FEW_BITS]
        if not weights.is_packed(op.weight_type) or x.type.dtype.itemsize > 2 or terms > most:
            return
        if not accumulator.fits(match, op):
            return
        load, term, size = core.figures(COSTS)
        rounds = straight.passes(outputs, core)
        cycles = rounds * inputs * load + terms * term + STORE * outputs + CALL
        code = int(terms * size) + LOAD_BYTES * rounds * inputs + FRAME_BYTES
        for layout in accumulator.output_layouts(match):
            in_place = match.follow is None and isinstance(layout, Natural)
            flash = code + accumulator.epilogue_flash(match)
            cost = Cost(cycles + accumulator.epilogue_cycles(match), flash, fetched=code)
            yield Offer((NATURAL,), layout, cost, scratch=0 if in_place else 4 * outputs)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        fields = {
            "outputs": len(op.bias), "thumb1": statements(straight.thumb1(codes, x.type)),
            "thumb2": statements(straight.thumb2(codes, x.type)),
            "statements": list(straight.statements(codes)), "empty": not np.any(codes), "e": after.fields,
            "in_place": match.follow is None and isinstance(offer.out, Natural),
        }  # fmt: skip
        return Body(after.tables, fields)


# Cycles of loading an input, of adding it to a sum; bytes of an addition.
COSTS = {
    "host": (1.0, 1.5, 4.0), "cortex-m0plus": (4.0, 1.0, 2.0), "cortex-m3": (2.0, 1.0, 3.0),
    "cortex-m7": (0.8, 0.45, 3.0),
    "cortex-m55": (1.0, 1.0, 3.0),
}  # fmt: skip
