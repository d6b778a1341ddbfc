"""conv2d on natural inputs: the readable reference, for every type of input and weight, with groups."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator, weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.ops import Conv2d


class Conv2dNatural(Kernel):
    """The window of one group is gathered into scratch memory, pads included; outputs are dot products."""

    name = "conv2d"
    code = 210
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        if not accumulator.fits(match, op):
            return
        taps = op.weights[0].size
        gathered = match.out.size // len(op.bias) * op.groups * taps
        cycles = (
            op.macs([x]) * match.core.mac + gathered * match.core.touch + accumulator.epilogue_cycles(match)
        )
        flat = op.weights.reshape(len(op.bias), -1)
        flash = int(weights.rows(flat, op.weight_type).data.nbytes) + accumulator.epilogue_flash(match)
        for layout in accumulator.output_layouts(match) if op.groups == 1 else [NATURAL]:
            yield Offer((NATURAL,), layout, Cost(cycles, flash), scratch=taps * x.type.dtype.itemsize)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        table, after = accumulator.weights_and_epilogue(match, offer, op)
        fields = {
            "x": x, "acc": acc, "op": op, "inputs": op.weights[0].size, "outputs": len(op.bias),
            "weight_type": op.weight_type, "w": table, "e": after.fields,
        }  # fmt: skip
        return Body([table, *after.tables], fields)
