"""conv2d of integer weights (2 to 8 bits) by multiply-accumulate, two or three pixels at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from edgeternary.c import accumulator, pairs
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.pairs import PACKINGS, QUADS, TWINS, Packing
from edgeternary.ops import Conv2d

PIXELS = {TWINS: 3, QUADS: 2}


@dataclass(frozen=True)
class Costs:
    """Cycles; from counts of layers.

    twins, quads  of a run of four inputs for two outputs of three pixels, and for four of two
    outputs       of these outputs besides, all pixels together
    ready         of making an input ready;  copied  besides where channels are no multiple of four
    row, pixel    of a row of a window, and of a pixel
    """

    twins: float
    quads: float
    outputs: float
    ready: float
    copied: float
    row: float
    pixel: float


COSTS = {
    "cortex-m4": Costs(26.2, 33.0, 33.0, 2.2, 5.0, 35.0, 40.0),
    "cortex-m7": Costs(15.0, 19.0, 20.0, 1.3, 3.0, 20.0, 25.0),
    "cortex-m33": Costs(26.2, 33.0, 33.0, 2.2, 5.0, 35.0, 40.0),
}


class Conv2dPairs(Kernel):
    """Windows of some pixels become pairs in scratch memory; a word of weights serves all of them."""

    name = "conv2d_pairs"
    code = 900
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        if op.groups != 1 or not pairs.possible(match, op) or not -0x8000 <= op.edge(x) <= 0x7FFF:
            return
        for packing, pixels in PIXELS.items():
            if acc.shape[0] * acc.shape[1] < pixels or not pairs.fits(packing, match, op):
                continue
            cost, scratch = _cost(match, op, packing), _scratch(match, op, packing)
            for layout in accumulator.output_layouts(match):
                yield Offer((NATURAL,), layout, cost, scratch, variant=packing.name)

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
    run = costs.twins if packing is TWINS else costs.quads
    cycles = -(-pixels // PIXELS[packing]) * groups * (runs * run + costs.outputs)
    ready = costs.ready + (0 if _whole(x.channels) else costs.copied)
    cycles += pixels * (taps * ready + op.kernel[0] * costs.row + costs.pixel)
    flash = groups * runs * 8 + accumulator.epilogue_flash(match)
    return Cost(cycles + accumulator.epilogue_cycles(match), flash)
