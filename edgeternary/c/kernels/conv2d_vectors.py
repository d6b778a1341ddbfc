"""conv2d on natural inputs of eight bits by VMLADAVA, weights of 1 to 8 bits: four outputs of two pixels."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import vectors
from edgeternary.ops import Conv2d

# Cycles of a step of four outputs of two pixels without shifts, of a block, and of a call.
STEP, BLOCK, CALL = 20.4, 28.6, 10.0
# Of a pixel, of a row of its window, of one that crosses an edge, and for each 16 inputs that are copied.
PIXEL, ROW, EDGE, COPY = 3.0, 23.6, 6.0, 6.2


class Conv2dVectors(Kernel):
    """The windows of two pixels are copied to scratch memory; pixels that are windows stay in place."""

    name = "conv2d_vectors"
    code = 900
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        found = vectors.products(match)
        if found is None:
            return
        op, pixels = cast(Conv2d, found.op), match.outs[0].shape[0] * match.outs[0].shape[1]
        packing, blocks, steps = vectors.packing(op.weights), found.blocks, found.steps
        block = steps * (STEP + packing.shifts) + BLOCK + 2 * packing.ends
        cycles = -(-pixels // 2) * (blocks * block + CALL) + pixels * PIXEL
        scratch = 8 * vectors.ROWS * blocks
        if not _direct(found):
            row = -(-op.kernel[1] * match.ins[0].channels // vectors.LANES) * COPY + ROW
            cycles += pixels * op.kernel[0] * row + EDGE * vectors.crossings(op, match)
            scratch += 2 * vectors.LANES * steps
        flash = found.flash + accumulator.epilogue_flash(match)
        for layout in accumulator.output_layouts(match):
            offer = Offer((NATURAL,), layout, Cost(0), scratch)
            cost = Cost(cycles + pixels * found.after_cycles(offer), flash)
            yield Offer((NATURAL,), layout, cost, scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        found = vectors.products(match)
        assert found is not None
        tables, fields = found.fields(offer)
        return Body(tables, {**fields, "op": found.op, "acc": match.outs[0], "direct": _direct(found)})


def _direct(found: vectors.Products) -> bool:
    """Whether the inputs of a pixel are whole steps in memory, and those of the next pixel follow."""
    op = cast(Conv2d, found.op)
    alone = op.kernel == (1, 1) and op.stride == (1, 1) and not any(op.pad)
    return alone and not found.flipped and found.inputs % vectors.LANES == 0
