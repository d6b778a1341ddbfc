"""sum_pool on natural inputs."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.ops import SumPool

TOUCHES = 0.6  # of Core.touch, for a tap


class SumPoolNatural(Kernel):
    name = "sum_pool"
    code = 65
    patterns = (("sum_pool",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op = cast(SumPool, match.ops[0])
        taps = op.kernel[0] * op.kernel[1]
        yield Offer((NATURAL,), NATURAL, Cost(TOUCHES * match.out.size * taps * match.core.touch))

    def body(self, match: Match, offer: Offer) -> Body:
        return Body(fields={"op": match.ops[0], "x": match.ins[0], "out": match.out})
