"""conv2d on lanes: a word is a pixel of several parts, a digit of a weight an instruction."""

from collections.abc import Iterator
from typing import cast

from edgeternary.c import accumulator
from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.lanes.conv import Plan
from edgeternary.c.lanes.window import Window
from edgeternary.c.layouts import NATURAL, Lanes, Layout, Stripes, Words
from edgeternary.ir import Value
from edgeternary.ops import Conv2d

LANES = (2, 4)
MAX_BITS = 8  # of an input
ROUTINE = "routine"  # the variant whose groups call one routine for what follows their sums


class Conv2dLanes(Kernel):
    """Straight-line additions and subtractions, for every kind of convolution: depthwise and 1x1 too.

    What follows happens in all lanes at once where the bounds allow it. The result is written as the next
    convolution wants it, border and all, or in natural layout.
    """

    name = "conv2d_lanes"
    patterns = (("conv2d", "requantize"), ("conv2d", "threshold"), ("conv2d",))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        window = Window.of(op, x, match.outs[0])
        if window is None or self.reason(match):
            return
        parts = [window.starts(lanes) for lanes in LANES]
        parts += [out.starts for out in match.wanted if isinstance(out, Lanes)]
        layouts = [
            layout for starts in dict.fromkeys(parts) if (layout := window.required(x, op.pad_value, starts))
        ]
        for there in match.arriving[0] if match.arriving else ():
            if isinstance(there, Lanes) and there not in layouts and window.reads(x, op.pad_value, there):
                layouts.append(there)
        for layout in layouts:
            for out in self._outs(match):
                yield from _ways(Plan.of(match, layout, out))
        for stripes in () if match.core.vectors else _stripes(op, x, window):
            yield from _ways(Plan.of(match, stripes, NATURAL))

    def reason(self, match: Match) -> str:
        x, acc = match.ins[0], match.outs[0]
        if x.type.bits > MAX_BITS:
            return f"inputs of {x.type.bits} bits leave no room for sums in a lane of 16 bits"
        if max(acc.shape[:2]) < min(LANES):
            return "an output of one pixel has no parts that could share a word"
        return ""

    def _outs(self, match: Match) -> list[Layout]:
        wanted = [layout for layout in match.wanted if isinstance(layout, Lanes)]
        return [*accumulator.output_layouts(match), *wanted]

    def body(self, match: Match, offer: Offer) -> Body:
        assert isinstance(offer.ins[0], Words)
        plan = Plan.of(match, offer.ins[0], offer.out)
        if plan is not None and offer.variant == ROUTINE:
            plan = plan.with_routine()
        assert plan is not None
        return plan.body()


def _ways(plan: Plan | None) -> Iterator[Offer]:
    """The plan, and the smaller one that calls a routine."""
    if plan is None:
        return
    yield Offer((plan.layout,), plan.out, plan.cost, plan.scratch)
    small = plan.with_routine()
    if small is not None:
        yield Offer((plan.layout,), plan.out, small.cost, plan.scratch, variant=ROUTINE)


def _stripes(op: Conv2d, x: Value, window: Window) -> Iterator[Stripes]:
    """Parts along the width, or of all pixels of a pointwise layer, where these leave fewer lanes empty."""
    if x.shape[0] == 1:
        return  # its rows are the width already
    pointwise = window.kernel == window.stride == (1, 1) and not window.padded
    flat = Window((1, 1), (1, 1), (0, 0), (1, window.out[0] * window.out[1]), False)
    seen = flat if pointwise else window
    for lanes in LANES:
        parts = [-(-count // lanes) / count for count in (window.out[0], seen.out[1])]
        if seen.out[1] >= lanes and (parts[1] < parts[0] or window.out[0] < lanes):
            yield seen.stripes(x, op.pad_value, lanes, pointwise)
