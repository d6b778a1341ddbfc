"""add, and what follows it, on lanes: the sums of residual blocks between convolutions on lanes."""

from collections.abc import Iterator

from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.lanes.added import Added, bare, first_word, serves
from edgeternary.c.lanes.border import EDGE, border
from edgeternary.c.lanes.window import part_rows
from edgeternary.c.layouts import Lanes, tall
from edgeternary.ir import Value

MAX_CHANNELS = 64  # each has its own few lines
CODE = 40  # bytes of a channel's lines


class AddLanes(Kernel):
    """Both operands have the parts that a reader of the result wants, with any border."""

    name = "add_lanes"
    patterns = (("add", "requantize"), ("add", "threshold"))

    def offers(self, match: Match) -> Iterator[Offer]:
        if len(match.out.shape) != 3 or match.out.channels > MAX_CHANNELS:
            return
        for out in match.wanted:
            if not isinstance(out, Lanes) or (added := Added.of(match, out.bits)) is None:
                continue
            rows = part_rows(out.starts, tall(match.out.shape)[0])
            edge = border(out, match.out, rows, out.starts)
            if edge is None:
                continue
            words = rows * tall(match.out.shape)[1] * match.out.channels
            cycles = words * added.after.cycles_c(match.core) + EDGE * edge.words
            cost = Cost(cycles, CODE * match.out.channels, fetched=CODE * words)
            for first in self._layouts(match, 0, out, rows):
                for second in self._layouts(match, 1, out, rows):
                    yield Offer((first, second), out, cost)

    def _layouts(self, match: Match, position: int, out: Lanes, rows: int) -> list[Lanes]:
        value = match.ins[position]
        found = [bare(out, value)]
        for there in match.arriving[position] if match.arriving else ():
            if isinstance(there, Lanes) and there.starts == out.starts and serves(there, value, rows):
                found.append(there)
        return list(dict.fromkeys(found))

    def body(self, match: Match, offer: Offer) -> Body:
        out = offer.out
        assert isinstance(out, Lanes)
        added = Added.of(match, out.bits)
        assert added is not None
        channels = match.out.channels
        rows = part_rows(out.starts, tall(match.out.shape)[0])
        fields = {
            "layout": out, "rows": rows, "pixels": tall(match.out.shape)[1], "channels": channels,
            "ins": [_place(layout, x) for layout, x in zip(offer.ins, match.ins, strict=True)],
            "place": first_word(out, channels), "row": out.width * channels, "out": match.out,
            "border": border(out, match.out, rows, out.starts), "after": added.after,
            "plain": list(added.lines(out.ones, dsp=False)),
            "dsp": list(added.lines(out.ones, dsp=True)) if added.after.has_dsp_c else [],
        }  # fmt: skip
        return Body(fields=fields)


def _place(layout: object, value: Value) -> dict[str, int]:
    assert isinstance(layout, Lanes)
    return {"first": first_word(layout, value.channels), "row": layout.width * value.channels}
