"""max_pool on lanes, between convolutions on lanes: no padding, and parts that begin with a window."""

from collections.abc import Iterator
from typing import cast

import numpy as np

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.lanes.added import first_word
from edgeternary.c.lanes.border import EDGE, border
from edgeternary.c.lanes.window import Window, part_rows
from edgeternary.c.layouts import Lanes, lane_unit, tall
from edgeternary.c.tables import Table
from edgeternary.ops import MaxPool

TAP, TAP_DSP, WORD = (
    9,
    5,
    5,
)  # cycles of a tap of a word of lanes, with DSP instructions, and of a word besides
CODE = 60  # bytes of the loops


class MaxPoolLanes(Kernel):
    """Codes leave the highest bit of a lane free. A minimum is a maximum of complements."""

    name = "max_pool_lanes"
    patterns = (("max_pool",),)

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(MaxPool, match.ops[0]), match.ins[0]
        if any(op.pad) or x.shape[0] == 1 or x.type.bits > 8:
            return
        window = Window(op.kernel, op.stride, (0, 0), (match.out.shape[0], match.out.shape[1]), False)
        for out in match.wanted:
            if not isinstance(out, Lanes) or (x.type.hi - x.type.lo) // lane_unit(x.type) >= 2 ** (
                out.bits - 1
            ):
                continue
            rows = part_rows(out.starts, match.out.shape[0])
            edge = border(out, match.out, rows, out.starts)
            own = window.required(x, x.type.lo, out.starts)
            if edge is None or own is None:
                continue
            layouts = [own]
            for there in match.arriving[0] if match.arriving else ():
                if isinstance(there, Lanes) and there not in layouts and window.reads(x, x.type.lo, there):
                    layouts.append(there) if there.starts == own.starts else None
            words = rows * match.out.shape[1] * x.channels
            taps = op.kernel[0] * op.kernel[1]
            effort = taps * (TAP_DSP if match.core.dsp else TAP) + WORD
            for layout in layouts:
                yield Offer((layout,), out, Cost(words * effort + EDGE * edge.words, CODE))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out, layout = cast(MaxPool, match.ops[0]), match.ins[0], offer.out, offer.ins[0]
        assert isinstance(out, Lanes) and isinstance(layout, Lanes)
        mixed = 0 < int(op.minimum.sum()) < op.minimum.size
        every = int((1 << (out.bits - 1)) - 1) * out.ones
        flips = np.where(op.minimum != 0, every, 0).astype(np.uint32)
        rows = part_rows(out.starts, tall(match.out.shape)[0])
        row = layout.width * x.channels
        fields = {
            "op": op, "layout": out, "rows": rows, "pixels": match.out.shape[1], "channels": x.channels,
            "first": first_word(layout, x.channels), "x_row": row * op.stride[0],
            "x_step": op.stride[1] * x.channels, "place": first_word(out, x.channels), "row": out.width *
            x.channels,
            "taps": [y * row + q * x.channels for y in range(op.kernel[0]) for q in range(op.kernel[1])],
            "border": border(out, match.out, rows, out.starts), "mixed": mixed,
            "flip": int(flips[0]) if not mixed else 0,
            "top": out.ones << (out.bits - 1), "by": out.bits - 1,
        }  # fmt: skip
        tables = (
            [Table("flips", flips, "complement what takes the minimum", hexadecimal=True)] if mixed else []
        )
        return Body(tables, fields)
