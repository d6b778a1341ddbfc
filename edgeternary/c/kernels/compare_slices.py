"""compare to slices: the bits of four pixels at a time, of all comparisons of a word of pixels together."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.slices import layout as slicing
from edgeternary.c.slices.layout import Slices
from edgeternary.ops import Compare

MOST = 32  # comparisons, which are written out
HALF = 128  # numbers up to here are compared in another way than those above
BYTES = 40  # of code of a comparison
# Cycles of four pixels, of a comparison of these, and of a word
COSTS = {
    "host": (4.0, 5.0, 4.0), "cortex-m0plus": (23.0, 14.0, 9.0), "cortex-m3": (7.0, 8.4, 4.0),
    "cortex-m7": (3.8, 4.5, 2.0), "cortex-m33": (7.0, 8.0, 4.0), "cortex-m55": (6.5, 7.3, 4.0),
}  # fmt: skip


class CompareSlices(Kernel):
    """Inputs of a byte without a sign, of an image."""

    name = "compare_slices"
    code = 250
    patterns = (("compare",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Compare, match.ops[0]), match.ins[0]
        if len(x.shape) != 3 or x.type.ctype != "uint8_t" or len(op.t) > MOST:
            return
        four, each, word = match.core.figures(COSTS)
        pixels, count = x.size // x.channels, len(op.t)
        channels = len(set(op.source.tolist()))
        wanted = [layout for layout in match.wanted if isinstance(layout, Slices)]
        for layout in dict.fromkeys([slicing.pointwise(match.out), *wanted]):
            if layout.width not in (slicing.WORD, x.shape[1]):
                continue
            words = layout.split * count
            cycles = pixels / 4 * (channels * four + count * each) + words * word
            yield Offer((NATURAL,), layout, Cost(cycles, BYTES * count))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, layout = cast(Compare, match.ops[0]), match.ins[0], offer.out
        assert isinstance(layout, Slices)
        comparisons = []
        for at, (source, t) in enumerate(zip(op.source.tolist(), op.t.tolist(), strict=True)):
            constant = "" if x.lo < t <= x.hi else "all" if t <= x.lo else "none"
            own = 0 if constant else (HALF if t <= HALF else 2 * HALF) - t
            own *= 0x01010101
            comparisons.append({"at": at, "source": source, "t": t, "constant": constant, "own": own})
        fields: dict[str, object] = {
            "comparisons": comparisons, "layout": layout, "pixels": x.size // x.channels,
            "channels": x.channels, "half": HALF, "masks": layout.masks(x.size // x.channels),
            "read": sorted({c["source"] for c in comparisons if not c["constant"]}),
        }  # fmt: skip
        return Body((), fields)
