"""dense of integer weights (2 to 8 bits) by multiply-accumulate, four outputs at a time."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import pairs
from edgeternary.c.products.pairs import PACKINGS, Packing
from edgeternary.ops import Dense

RUN, OUTPUTS = 8, 4  # inputs and outputs of a turn of the loop
HALFWORD = 2  # bytes, of the weights of `packing.outputs` outputs
ROUTINES = {"twins": 640, "quads": 700, "halves": 540}  # bytes

# Cycles of a run for four outputs in each packing, of four outputs besides, of making an input ready, and of
# a call.
COSTS = {
    "cortex-m4": ({"twins": 40.5, "quads": 39.5, "halves": 42.5}, 27.0, 2.6, 90.0),
    "cortex-m7": ({"twins": 22.5, "quads": 20.7, "halves": 26.4}, 2.1, 1.43, 74.0),
    "cortex-m33": ({"twins": 37.3, "quads": 37.3, "halves": 37.3}, 13.6, 2.07, 89.0),
}  # fmt: skip


class DensePairs(Kernel):
    """The inputs become pairs in scratch memory once."""

    name = "dense_pairs"
    code = 220
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op = cast(Dense, match.ops[0])
        if not pairs.possible(match, op):
            return
        for packing in PACKINGS.values():
            if pairs.fits(packing, match, op):
                cost, scratch = _cost(match, op, packing), 4 * (OUTPUTS * _fours(op) + 1) + 2 * _padded(op)
                for layout in accumulator.output_layouts(match):
                    yield Offer((NATURAL,), layout, cost, scratch, variant=packing.name)

    def reason(self, match: Match) -> str:
        return pairs.reason(match, cast(Dense, match.ops[0]))

    def body(self, match: Match, offer: Offer) -> Body:
        op = cast(Dense, match.ops[0])
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        packing = PACKINGS[offer.variant]
        fields = {
            "e": after.fields, "letter": pairs.letter(match.ins[0]), "packing": packing,
            "inputs": codes.shape[1], "outputs": len(op.bias), "fours": _fours(op),
            "runs": pairs.runs(codes.shape[1], RUN),
        }  # fmt: skip
        return Body([pairs.table(codes, packing, RUN, OUTPUTS), *after.tables], fields)


def _fours(op: Dense) -> int:
    return -(-len(op.bias) // OUTPUTS)


def _padded(op: Dense) -> int:
    """Inputs up to whole runs."""
    return pairs.runs(op.weights.shape[1], RUN) * RUN


def _cost(match: Match, op: Dense, packing: Packing) -> Cost:
    run, four, ready, call = match.core.figures(COSTS)
    runs = pairs.runs(op.weights.shape[1], RUN)
    cycles = _fours(op) * (runs * run[packing.name] + four) + op.weights.shape[1] * ready + call
    flash = _fours(op) * _padded(op) * OUTPUTS * HALFWORD // packing.outputs + accumulator.epilogue_flash(
        match
    )
    return Cost(cycles + accumulator.epilogue_cycles(match), flash, once=ROUTINES[packing.name])
