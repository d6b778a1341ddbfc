"""shift of natural values, in the same memory where it is; bytes of one pixel move four at a time."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL

WORD = 4  # bytes
TOUCHES, WORD_TOUCHES = 0.5, 0.13  # of Core.touch, for an element; where four move as a word


class ShiftNatural(Kernel):
    name = "shift"
    patterns = (("shift",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        touched = match.out.size * (WORD_TOUCHES if _words(match) else TOUCHES)
        in_place = (0,) if match.ins[0].type.ctype == match.out.type.ctype else ()
        yield Offer((NATURAL, NATURAL), NATURAL, Cost(touched * match.core.touch), in_place=in_place)

    def body(self, match: Match, offer: Offer) -> Body:
        new, out = match.ins[1], match.out
        return Body(
            fields={
                "pixels": out.size // out.channels,
                "kept": out.channels - new.channels,
                "new": new.channels,
                "words": _words(match),
                "ctype": out.type.ctype,
            }
        )


def _words(match: Match) -> bool:
    """Whether all is bytes of one pixel, in multiples of four."""
    new, out = match.ins[1], match.out
    one = {value.type.dtype.itemsize for value in (*match.ins, out)} == {1}
    sizes = (new.channels, out.channels)
    return one and out.size == out.channels and all(size % WORD == 0 for size in sizes)
