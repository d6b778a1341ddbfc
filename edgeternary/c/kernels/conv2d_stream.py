"""conv2d from lists of the digits of its weights that are not 0: little flash, shared code."""

from collections.abc import Iterator
from functools import lru_cache
from typing import cast

import numpy as np

from edgeternary.c import weights
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.stream import cost as stream_cost
from edgeternary.c.stream import lists as stream
from edgeternary.c.stream.lists import AT_ONCE, After, Lists
from edgeternary.c.tables import Table
from edgeternary.ir import Value
from edgeternary.ops import Conv2d

LARGEST = 0x7FFF  # of the numbers of a frame


class Conv2dStream(Kernel):
    """Windows of 16 or 32 pixels are put into words, side by side; an entry of a list adds eight words."""

    name = "conv2d_stream"
    patterns = (("conv2d", "requantize"), ("conv2d", "threshold"), ("conv2d",))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        if op.groups != 1 or not stream.possible(op, x):
            return
        found = _lists(op, x, tuple(stream.negated(match.follow, op).tolist()))
        if found is None or max(self._frame(match)[:12]) > LARGEST:
            return
        after = stream.shift(match, op, found) or stream.after(match, op, found)
        if after is None or max(self._words(op), self._sums(found)) > LARGEST:
            return
        scratch = 4 * (self._words(op) + self._sums(found)) + self._pads(op, x)
        yield Offer((NATURAL,), NATURAL, self._cost(match, op, found, after), scratch=scratch)

    def _words(self, op: Conv2d) -> int:
        return AT_ONCE * op.weights[0].size

    def _sums(self, found: Lists) -> int:
        return AT_ONCE * found.sums

    def _pads(self, op: Conv2d, x: Value) -> int:
        """Elements of a row of a window."""
        return op.kernel[1] * x.channels if any(op.pad) else 0

    def _cost(self, match: Match, op: Conv2d, found: Lists, after: After) -> Cost:
        pixels = match.outs[0].shape[0] * match.outs[0].shape[1]
        blocks = stream_cost.blocks(-(-pixels // found.lanes))
        effort = stream_cost.efforts(match.core).windows
        words, rows = blocks * self._words(op), blocks * AT_ONCE * op.kernel[0]
        return Cost(
            effort.cycles(found, blocks, words, rows, after, match.out.size)
            + stream_cost.rescaled(match, after, match.out.size),
            stream_cost.size(after, len(found.data)),
            once=stream_cost.once(after, stream_cost.efforts(match.core).window_code),
        )

    def _frame(self, match: Match) -> list[int]:
        """The numbers of net_frame_t; see helpers/frame_t.c.j2."""
        op, (height, width, channels) = cast(Conv2d, match.ops[0]), match.ins[0].shape
        out_height, out_width = match.outs[0].shape[:2]
        row, right = width * channels, op.stride[1] * channels
        return [
            height, width, channels, *op.kernel, op.kernel[1] * channels, *op.stride, op.pad[0], op.pad[1],
            out_width, out_height * out_width, row, right, op.stride[0] * row - (out_width - 1) * right,
        ]  # fmt: skip

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Conv2d, match.ops[0]), match.ins[0]
        found = _lists(op, x, tuple(stream.negated(match.follow, op).tolist()))
        assert found is not None
        frame = self._frame(match)
        fields = {
            "op": op, "x": x, "outputs": len(op.bias), "pixels": frame[11], "lanes": found.lanes,
            "parts": found.parts, "shifts": found.shifts, "planes": found.planes,
            "bias": found.bias * found.scale, "start": found.start,
            "frame": frame, "padded": any(op.pad), "words": self._words(op), "sums": self._sums(found),
            "origin": -op.pad[0] * frame[12] - op.pad[1] * x.channels, "pads": self._pads(op, x),
            "letter": stream.letter(x.type), "ctype": NATURAL.ctype(match.out),
        }  # fmt: skip
        lists = Table("stream", found.data, "gaps between weights")
        return stream.body(match, op, found, lists, fields)


@lru_cache(maxsize=512)
def _lists(op: Conv2d, x: Value, negate: tuple[bool, ...]) -> Lists | None:
    """In as many lanes as serve; elements of 8 bits leave no room for four."""
    codes = weights.negate(op.weights, np.array(negate)).reshape(len(op.bias), -1).astype(np.int32)
    places, ends = np.arange(codes.shape[1]), stream.interval(op, x)
    lanes = (2,) if x.type.hi > 127 else stream.LANES
    return stream.least([stream.lists(codes, places, *ends, count) for count in lanes])
