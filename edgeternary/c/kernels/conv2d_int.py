"""conv2d of integer weights (2 to 8 bits) on natural inputs, by multiply-accumulate."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.products import integers
from edgeternary.ops import Conv2d


class Conv2dInt(Kernel):
    """The window of a pixel is gathered into scratch memory, then it is a dense layer."""

    name = "conv2d_int"
    code = 800
    patterns = (("conv2d",), ("conv2d", "threshold"), ("conv2d", "requantize"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        if op.groups != 1 or not integers.possible(match, op) or not -0x8000 <= op.edge(x) <= 0x7FFF:
            return
        taps, pixels = op.weights[0].size, acc.shape[0] * acc.shape[1]
        cost = integers.cost(match, op, pixels) + Cost(pixels * integers.gather_cycles(match, op))
        scratch = integers.scratch(op, match.core) + taps * x.type.dtype.itemsize
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, cost, scratch=scratch)

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, acc = cast(Conv2d, match.ops[0]), match.ins[0], match.outs[0]
        codes, after = integers.codes_and_epilogue(match, offer, op)
        fields = {
            **integers.fields(match, op, after),
            "x": x, "acc": acc, "op": op,
        }  # fmt: skip
        return Body([integers.table(match, op, codes), *after.tables], fields)
