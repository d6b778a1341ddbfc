"""max_pool of 2 x 2 bits on slices: 32 pixels at a time."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.slices.layout import WORD, Slices
from edgeternary.ir import Value
from edgeternary.ops import MaxPool

TOGETHER = "two lines a word"
# Cycles of a channel of two lines of words
COSTS = {
    "host": 12.0, "cortex-m0plus": 31.0, "cortex-m3": 20.0, "cortex-m7": 15.0, "cortex-m33": 18.5,
    "cortex-m55": 17.8,
}  # fmt: skip


class MaxPoolSlices(Kernel):
    """Bits of table networks: lines are joined, then neighbours, and every second bit is kept.

    What is left of a line has room in half of it: a word with one line then holds two.
    """

    name = "max_pool_slices"
    code = 160
    patterns = (("max_pool",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, out = cast(MaxPool, match.ops[0]), match.ins[0], match.out
        if (op.kernel, op.stride) != ((2, 2), (2, 2)) or any(op.pad) or x.type.name != "binary":
            return
        if op.minimum.any() and not op.minimum.all():
            return
        for layout in match.arriving[0] if match.arriving else ():
            if not isinstance(layout, Slices) or layout.width != x.shape[1] or layout.split % 2:
                continue
            cost = Cost(layout.split / 2 * x.channels * match.core.figures(COSTS))
            yield Offer((layout,), Slices(out.shape[1], layout.stride, layout.split // 2), cost)
            if layout.parts == 1 and _joined(out).split <= out.shape[0]:
                yield Offer((layout,), _joined(out), cost, variant=TOGETHER)

    def body(self, match: Match, offer: Offer) -> Body:
        op, out, layout = cast(MaxPool, match.ops[0]), match.out, offer.out
        source = offer.ins[0]
        assert isinstance(layout, Slices) and isinstance(source, Slices)
        fields: dict[str, object] = {
            "layout": layout, "source": source, "channels": out.channels, "minimum": bool(op.minimum[0]),
            "together": offer.variant == TOGETHER, "lines": out.shape[0], "rows": layout.split,
            "steps": source.stride.bit_length() - 2, "masks": layout.masks(out.size // out.channels),
        }  # fmt: skip
        return Body((), fields)


def _joined(out: Value) -> Slices:
    """Two lines a word, in an even number of rows, so that they can be joined once more."""
    half = -(-out.shape[0] // 2)
    return Slices(out.shape[1], WORD // 2, half + half % 2)
