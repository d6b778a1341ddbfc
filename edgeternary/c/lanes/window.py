"""Convolutions on lanes: how a window lies over the words, and which lanes a convolution wants.

With L parts of P = ceil(OH / L) rows of outputs, part l from row T[l] = floor(l * (OH - P) / (L - 1)) on,
word (oy, ox) of the output holds in lane l the output row T[l] + oy. It needs the input words
(oy * sy + ky, ox * sx + kx), whatever the lane, so one addition of words is an addition in every part. The
last part ends with the image; where OH is no multiple of L, parts share rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeternary.c.layouts import Lanes, Stripes, Words, tall
from edgeternary.ir import Value
from edgeternary.ops import Conv2d
from edgeternary.ops.window import Pair


@dataclass(frozen=True)
class Window:
    """Kernel, stride and pads (top, left) of a convolution as lanes see it, and its output size."""

    kernel: Pair
    stride: Pair
    pad: Pair
    out: Pair
    padded: bool

    @staticmethod
    def of(op: Conv2d, x: Value, acc: Value) -> Window | None:
        """None where the image lies down but the kernel or its pads do not."""
        top, left, bottom, _ = op.pad
        if x.shape[0] != 1:
            return Window(op.kernel, op.stride, (top, left), (acc.shape[0], acc.shape[1]), any(op.pad))
        if op.kernel[0] != 1 or top or bottom:
            return None
        return Window(
            (op.kernel[1], 1), (op.stride[1], op.stride[0]), (left, 0), (acc.shape[1], 1), any(op.pad)
        )

    @staticmethod
    def over(op: Conv2d, x: Value, acc: Value, layout: Words) -> Window | None:
        """As a layout of `x` sees it: flat stripes have one row."""
        if isinstance(layout, Stripes) and layout.flat:
            return Window((1, 1), (1, 1), (0, 0), (1, acc.shape[0] * acc.shape[1]), False)
        return Window.of(op, x, acc)

    def starts(self, lanes: int) -> tuple[int, ...]:
        """First output row of each part, for parts of as few rows as possible."""
        return spread(self.out[0], lanes)

    def required(self, x: Value, pad: int, starts: tuple[int, ...]) -> Lanes | None:
        """The layout of `x` that these parts of the output require, and no more.

        None for too few rows: parts that a reader wants may begin below the last one, at its pads.
        """
        if self.out[0] < len(starts) or self.out[0] <= starts[-1]:
            return None
        height, width = tall(x.shape)[:2]
        inputs = tuple(start * self.stride[0] for start in starts)
        sizes = part_rows(starts, self.out[0]), self.out[1]
        reach = [(n - 1) * s + k for n, s, k in zip(sizes, self.stride, self.kernel, strict=True)]
        return Lanes(
            starts=inputs,
            rows=max(reach[0], part_rows(inputs, self.pad[0] + height)),
            width=max(reach[1], self.pad[1] + width),
            top=self.pad[0],
            left=self.pad[1],
            pad=pad if self.padded else 0,
        )

    def stripes(self, x: Value, pad: int, lanes: int, flat: bool = False) -> Stripes:
        """The layout of `x` for parts of the output's columns; `flat` for a window `over` such a layout."""
        starts = tuple(start * self.stride[1] for start in spread(self.out[1], lanes))
        height, width = (1, x.shape[0] * x.shape[1]) if flat else x.shape[:2]
        columns = -(-self.out[1] // lanes)
        return Stripes(
            starts=starts,
            rows=max((self.out[0] - 1) * self.stride[0] + self.kernel[0], self.pad[0] + height),
            width=max(
                (columns - 1) * self.stride[1] + self.kernel[1], part_rows(starts, self.pad[1] + width)
            ),
            top=self.pad[0],
            left=self.pad[1],
            pad=pad if self.padded else 0,
            flat=flat,
        )

    def outputs(self, layout: Words) -> tuple[int, ...] | None:
        """First output row, or column of stripes, of each part of an input layout; None where a part begins
        between windows."""
        axis = 1 if isinstance(layout, Stripes) else 0
        if any(start % self.stride[axis] for start in layout.starts):
            return None
        starts = tuple(start // self.stride[axis] for start in layout.starts)
        return starts if starts[-1] < self.out[axis] else None

    def reads(self, x: Value, pad: int, layout: Lanes) -> bool:
        """Whether a layout that another reader requires serves this window as well."""
        starts = self.outputs(layout)
        own = self.required(x, pad, starts) if starts else None
        if own is None or (self.padded and layout.pad != pad):
            return False
        down, right = layout.top - own.top, layout.left - own.left
        return (
            down >= 0 and right >= 0 and layout.rows - down >= own.rows and layout.width - right >= own.width
        )


def spread(count: int, lanes: int) -> tuple[int, ...]:
    """First of `count` rows or columns of each part, for parts of as few of them as possible."""
    rest = count - -(-count // lanes)
    return tuple(lane * rest // (lanes - 1) for lane in range(lanes))


def part_rows(starts: Sequence[int], height: int) -> int:
    """Rows of a part, so that all parts together show `height` rows."""
    return max(end - start for start, end in zip(starts, [*starts[1:], height], strict=True))
