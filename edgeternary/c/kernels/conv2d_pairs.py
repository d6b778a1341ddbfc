"""conv2d of integer weights (2 to 8 bits) by multiply-accumulate, two or three pixels at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import pairs
from edgeternary.c.products.pairs import PACKINGS, QUADS, TWINS, Packing
from edgeternary.ops import Conv2d

PIXELS = {TWINS: 3, QUADS: 2}
ROUTINES = {TWINS: 480, QUADS: 630}  # bytes
RUN_BYTES = 8  # of the weights of a run of taps for the outputs that share halfwords


@dataclass(frozen=True)
class Costs:
    """Cycles; from counts of layers.

    run     of four inputs: in twins for two outputs of three pixels, in quads for four of two
    group   of these outputs besides
    ready   of making an input ready;  copied  besides where channels are no multiple of four
    row     of a row of a window;  padded  besides where there are pads
    pixel   of a pixel besides
    """

    run: Mapping[Packing, float]
    group: Mapping[Packing, float]
    ready: float
    copied: float
    row: float
    padded: float
    pixel: float


COSTS = {
    "cortex-m4": Costs({TWINS: 26.0, QUADS: 32.6}, {TWINS: 46.0, QUADS: 68.0}, 2.2, 5.4, 26.0, 14.0, 32.0),
    "cortex-m7": Costs({TWINS: 17.6, QUADS: 19.7}, {TWINS: 4.0, QUADS: 9.0}, 1.15, 3.2, 13.6, 20.0, 44.0),
    "cortex-m33": Costs({TWINS: 23.0, QUADS: 29.5}, {TWINS: 21.0, QUADS: 38.0}, 2.05, 5.5, 11.0, 10.0, 43.0),
}


class Conv2dPairs(Kernel):
    """Windows of some pixels become pairs in scratch memory; a word of weights serves all of them."""

    name = "conv2d_pairs"
    code = 500
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, acc = cast(Conv2d, match.ops[0]), match.outs[0]
        if op.groups != 1 or not pairs.possible(match, op):
            return
        for packing, pixels in PIXELS.items():
            if acc.shape[0] * acc.shape[1] < pixels or not pairs.fits(packing, match, op):
                continue
            cost, scratch = _cost(match, op, packing), _scratch(match, op, packing)
            for layout in accumulator.output_layouts(match):
                yield Offer((NATURAL,), layout, cost, scratch, variant=packing.name)

    def reason(self, match: Match) -> str:
        return pairs.reason(match, cast(Conv2d, match.ops[0]))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        packing = PACKINGS[offer.variant]
        fields = {
            "x": x, "acc": acc, "op": op, "e": after.fields, "letter": pairs.letter(x), "packing": packing,
            "taps": op.weights[0].size, "outputs": len(op.bias), "runs": pairs.runs(op.weights[0].size),
            "whole": _whole(x.channels), "pixels": PIXELS[packing],
        }  # fmt: skip
        return Body([pairs.table(codes, packing, pairs.FOUR, packing.outputs), *after.tables], fields)


def _whole(channels: int) -> bool:
    """Whether runs of inputs end where rows of a window do."""
    return channels % pairs.FOUR == 0


def _groups(op: Conv2d, packing: Packing) -> int:
    """Of outputs that share words."""
    return -(-len(op.bias) // packing.outputs)


def _scratch(match: Match, op: Conv2d, packing: Packing) -> int:
    """Bytes of the sums, of what the sums begin with, of the pairs, and of a window that is copied first."""
    x = match.ins[0]
    runs = pairs.runs(op.weights[0].size)
    copied = 0 if _whole(x.channels) else runs * pairs.FOUR * x.type.dtype.itemsize
    return PIXELS[packing] * (4 * packing.outputs * _groups(op, packing) + 4 + 8 * runs) + copied


def _cost(match: Match, op: Conv2d, packing: Packing) -> Cost:
    x, acc = match.ins[0], match.outs[0]
    costs = match.core.figures(COSTS)
    pixels, taps = acc.shape[0] * acc.shape[1], op.weights[0].size
    runs, groups = pairs.runs(taps), _groups(op, packing)
    cycles = -(-pixels // PIXELS[packing]) * groups * (runs * costs.run[packing] + costs.group[packing])
    ready = costs.ready + (0 if _whole(x.channels) else costs.copied)
    row = costs.row + (costs.padded if any(op.pad) else 0)
    cycles += pixels * (taps * ready + op.kernel[0] * row + costs.pixel)
    flash = groups * runs * RUN_BYTES + accumulator.epilogue_flash(match)
    return Cost(cycles + accumulator.epilogue_cycles(match), flash, once=ROUTINES[packing])
