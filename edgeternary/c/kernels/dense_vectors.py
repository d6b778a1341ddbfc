"""dense on natural inputs of eight bits by VMLADAVA, weights of 1 to 8 bits, four outputs at a time."""

from collections.abc import Iterator

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import vectors

# Cycles of a step of four outputs without shifts, of a block, and of a call.
STEP, BLOCK, CALL = 10.55, 14.7, 35.0
COPY = 3  # for each 16 inputs


class DenseVectors(Kernel):
    """Inputs that are no whole steps, or have no sign, are copied first."""

    name = "dense_vectors"
    code = 600
    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        found = vectors.products(match)
        if found is None:
            return
        packing, blocks, steps = vectors.packing(found.op.weights), found.blocks, found.steps
        copied = found.flipped or found.inputs % vectors.LANES > 0
        cycles = blocks * (steps * (STEP + packing.shifts) + BLOCK + packing.ends) + CALL
        cycles += COPY * steps * copied
        flash = found.flash + accumulator.epilogue_flash(match)
        scratch = 4 * vectors.ROWS * blocks + vectors.LANES * steps * copied
        for layout in accumulator.output_layouts(match):
            offer = Offer((NATURAL,), layout, Cost(0), scratch)
            cost = Cost(cycles + found.after_cycles(offer), flash)
            yield Offer((NATURAL,), layout, cost, scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        found = vectors.products(match)
        assert found is not None
        return Body(*found.fields(offer))
