"""upsample of natural inputs and of bit planes along the channels: whole pixels are copied."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL, Layout, planes
from edgeternary.ir import Value, encoding
from edgeternary.ops import Upsample

TOUCHES = {"repeat": 0.4, "zero": 0.25}  # of Core.touch, for an element or word of the answer


class UpsampleCopied(Kernel):
    """A 0 is a 0 bit in every plane, whatever the type that has it."""

    name = "upsample"
    patterns = (("upsample",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        x, out = match.ins[0], match.out
        yield Offer((NATURAL,), NATURAL, _cost(match, NATURAL))
        if x.type.bits <= accumulator.PLANE_BITS:
            yield Offer((planes(x),), planes(out), _cost(match, planes(out)))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Upsample, match.ops[0]), match.ins[0]
        unit = "" if offer.out == NATURAL else ", in words of bit planes"
        return Body(fields={"op": op, "x": x, "pixel": _pixel(x, offer.out), "unit": unit})


def _cost(match: Match, layout: Layout) -> Cost:
    pixels = match.out.shape[0] * match.out.shape[1]
    touches = TOUCHES[cast(Upsample, match.ops[0]).fill]
    return Cost(touches * pixels * _pixel(match.out, layout) * match.core.touch)


def _pixel(value: Value, layout: Layout) -> int:
    """Elements of a pixel in memory: its channels, or the words that hold their planes."""
    return value.channels if layout == NATURAL else encoding.words(value.channels) * value.type.planes
