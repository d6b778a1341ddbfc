"""rms_norm on natural inputs."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL

ROOT = 70  # elements' worth of work in a reciprocal square root
TOUCHES = 1.5  # of Core.touch, for an element


class RmsNormNatural(Kernel):
    """The products are of activations alone; the root itself is by shifts, additions and comparisons."""

    name = "rms_norm"
    patterns = (("rms_norm",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        x = match.ins[0]
        pixels = x.size // x.channels
        in_place = (0,) if x.type.dtype.itemsize >= match.out.type.dtype.itemsize else ()
        cost = Cost((TOUCHES * x.size + ROOT * pixels) * match.core.touch)
        yield Offer((NATURAL,), NATURAL, cost, in_place=in_place)

    def body(self, match: Match, offer: Offer) -> Body:
        x = match.ins[0]
        return Body(fields={"pixels": x.size // x.channels, "channels": x.channels})
