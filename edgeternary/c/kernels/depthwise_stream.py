"""Depthwise conv2d from lists of the digits of its weights that are not 0, a channel at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgeternary.c import weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.lanes.window import Window, part_rows
from edgeternary.c.layouts import NATURAL, tall
from edgeternary.c.stream import cost as stream_cost
from edgeternary.c.stream import lists as stream
from edgeternary.c.stream.lists import AT_ONCE, Lists
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d

LARGEST = 0x7FFF  # words of a plane
SPARE = AT_ONCE  # words after a plane that are read, for sums that nobody reads


class DepthwiseStream(Kernel):
    """A channel is put into words as it is, so that a tap of all outputs lies at one distance; stride 1."""

    name = "depthwise_stream"
    patterns = (("conv2d", "requantize"), ("conv2d", "threshold"), ("conv2d",))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        if not 1 < op.groups == x.channels:
            return
        plan = _plan(op, x, match.outs[0], tuple(stream.negated(match.follow, op).tolist()))
        if plan is None or max(plan.words, plan.sums) > LARGEST:
            return
        shift = stream.shift(match, op, plan.lists) if len(op.bias) == op.groups else None
        after = shift or stream.after(match, op, plan.lists)
        if after is None:
            return
        effort = stream_cost.efforts(match.core).planes
        rows = plan.rows_in * x.channels
        values = plan.rows * plan.window.out[1] * plan.lists.lanes * len(op.bias)
        cost = Cost(
            effort.cycles(plan.lists, plan.sums // AT_ONCE, plan.across * rows, rows, after, values)
            + stream_cost.rescaled(match, after, values),
            stream_cost.size(after, len(plan.data)),
            once=stream_cost.once(after, stream_cost.efforts(match.core).plane_code),
        )
        yield Offer((NATURAL,), NATURAL, cost, scratch=4 * (plan.words + plan.sums))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        plan = _plan(op, x, match.outs[0], tuple(stream.negated(match.follow, op).tolist()))
        assert plan is not None
        found = plan.lists
        width, channels = tall(x.shape)[1:]
        top, left = plan.window.pad
        row = width * channels
        firsts = [start - top for start in plan.starts]
        out_row = plan.window.out[1] * len(op.bias)
        skip = 4 * (plan.across - plan.window.out[1])
        fields = {
            "op": op, "x": x, "outputs": len(op.bias), "each": len(op.bias) // op.groups,
            "rows": plan.rows, "pixels": plan.window.out[1], "across": plan.across, "lanes": found.lanes,
            "planes": found.planes, "bias": found.bias, "start": found.start, "padded": any(op.pad),
            "words": plan.words, "sums": plan.sums, "places": [start * out_row for start in plan.starts],
            "shape": [tall(x.shape)[0], width, row, channels, left, plan.rows_in, plan.across]
            + [number for first in firsts for number in (first, first * row)],
            "out": [plan.rows, plan.window.out[1], len(op.bias), skip], "letter": stream.letter(x.type),
            "ctype": NATURAL.ctype(match.out),
        }  # fmt: skip
        lists = Table("stream", plan.data, "gaps between weights")
        return stream.body(match, op, found, lists, fields, len(op.bias) == op.groups)


@dataclass(frozen=True)
class Plan:
    """starts   first row of outputs of each part, which has `rows` of them
    across, rows_in  columns and rows of the plane
    """

    window: Window
    lists: Lists
    data: NDArray[np.uint8]
    starts: tuple[int, ...]
    rows: int
    rows_in: int
    across: int

    @property
    def sums(self) -> int:
        """Words: all from the first output of the first row to the last one of the last."""
        count = (self.rows - 1) * self.across + self.window.out[1]
        return -(-count // AT_ONCE) * AT_ONCE

    @property
    def words(self) -> int:
        return self.across * self.rows_in + SPARE


@lru_cache(maxsize=512)
def _plan(op: Conv2d, x: Value, acc: Value, negate: tuple[bool, ...]) -> Plan | None:
    """None where there is a stride, or lanes are too narrow."""
    window = Window.of(op, x, acc)
    if window is None or window.stride != (1, 1) or not stream.possible(op, x):
        return None
    codes = weights.negate(op.weights, np.array(negate)).reshape(len(op.bias), -1).astype(np.int32)
    low, high = stream.interval(op, x)
    across = max(window.out[1] + window.kernel[1] - 1, window.pad[1] + tall(x.shape)[1])
    y, q = np.divmod(np.arange(codes.shape[1]), window.kernel[1])
    places = (y * across + q).astype(np.int32)
    for lanes in (2,) if x.type.hi > 127 else stream.LANES:
        if window.out[0] < lanes:
            continue
        found = stream.lists(codes, places, low, high, lanes)
        if found is not None and found.parts == 1:
            starts = window.starts(lanes)
            rows = part_rows(starts, window.out[0])
            return Plan(window, found, found.data, starts, rows, rows + window.kernel[0] - 1, across)
    return None
