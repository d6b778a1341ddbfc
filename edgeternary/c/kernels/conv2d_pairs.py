"""conv2d of integer weights (2 to 8 bits) by multiply-accumulate, three pixels at a time."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator, pairs
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.ops import Conv2d

PIXELS = 3

# Cycles of a run of four inputs for two outputs of three pixels, and of these besides; of making an input
# ready, of a row of a window, and of a pixel besides.
COSTS = {
    "cortex-m4": (26.2, 33.0, 2.2, 35.0, 40.0), "cortex-m7": (15.0, 20.0, 1.3, 20.0, 25.0),
    "cortex-m33": (26.2, 33.0, 2.2, 35.0, 40.0),
}  # fmt: skip
COPIED = 5.0  # cycles of an input besides where its channels are no multiple of four


class Conv2dPairs(Kernel):
    """The windows of three pixels become pairs in scratch memory; a word of weights serves all of them."""

    name = "conv2d_pairs"
    code = 900
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        pixels = acc.shape[0] * acc.shape[1]
        if op.groups != 1 or pixels < PIXELS or not pairs.possible(match, op):
            return
        if not -0x8000 <= op.edge(x) <= 0x7FFF:
            return
        taps = op.weights[0].size
        runs, twos = pairs.runs(taps), -(-len(op.bias) // 2)
        run, two, ready, row, pixel = match.core.figures(COSTS)
        cycles = -(-pixels // PIXELS) * twos * (runs * run + two)
        cycles += pixels * (
            taps * (ready + (0 if _whole(x.channels) else COPIED)) + op.kernel[0] * row + pixel
        )
        cost = Cost(
            cycles + accumulator.epilogue_cycles(match), twos * runs * 8 + accumulator.epilogue_flash(match)
        )
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, cost, scratch=_scratch(match, op))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        table = Table("weights", pairs.twins(codes), "a + 128 + 256 b of two outputs", hexadecimal=True)
        fields = {
            "x": x, "acc": acc, "op": op, "e": after.fields, "letter": pairs.letter(x),
            "taps": op.weights[0].size, "outputs": len(op.bias), "runs": pairs.runs(op.weights[0].size),
            "whole": _whole(x.channels),
        }  # fmt: skip
        return Body([table, *after.tables], fields)


def _whole(channels: int) -> bool:
    """Whether runs of inputs end where rows of a window do."""
    return channels % pairs.FOUR == 0


def _scratch(match: Match, op: Conv2d) -> int:
    """Bytes of the sums, of what the sums begin with, of the pairs, and of a window that is copied first."""
    x = match.ins[0]
    runs = pairs.runs(op.weights[0].size)
    copied = 0 if _whole(x.channels) else runs * pairs.FOUR * x.type.dtype.itemsize
    return PIXELS * (8 * -(-len(op.bias) // 2) + 4 + 8 * runs) + copied
