"""Sliding windows shared by conv2d and the pools: sizes, padding and a strided view."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import IntArray, Op, Value

Pair = tuple[int, int]
Padding = tuple[int, int, int, int]  # top, left, bottom, right


def pointwise(kernel: Pair, stride: Pair, pad: Padding) -> bool:
    """Whether the window of each output pixel is the input pixel at the same place."""
    return kernel == stride == (1, 1) and not any(pad)


def output_size(op: Op, x: Value, kernel: Pair, stride: Pair, pad: Padding) -> Pair:
    """(height, width) of the output: floor((size + pads - kernel) / stride) + 1, along y and x."""
    op.require(len(x.shape) == 3, f"its input must be (height, width, channels), it is {x.shape}")
    op.require(all(1 <= k <= 2**15 for k in (*kernel, *stride)), "kernel and stride must be positive")
    op.require(all(0 <= p <= 2**15 for p in pad), "padding must not be negative")
    padded = x.shape[0] + pad[0] + pad[2], x.shape[1] + pad[1] + pad[3]
    op.require(
        padded[0] >= kernel[0] and padded[1] >= kernel[1],
        f"its window {kernel} is larger than the padded input {padded}",
    )
    return (padded[0] - kernel[0]) // stride[0] + 1, (padded[1] - kernel[1]) // stride[1] + 1


def pad_image(x: IntArray, pad: Padding, value: int | IntArray) -> IntArray:
    """Surround images (samples, H, W, C) with `value`, one integer or one a channel."""
    top, left, bottom, right = pad
    samples, height, width, channels = x.shape
    padded = np.empty((samples, height + top + bottom, width + left + right, channels), np.int32)
    padded[:] = value
    padded[:, top : top + height, left : left + width] = x
    return padded


def windows(padded: NDArray[Any], kernel: Pair, stride: Pair) -> NDArray[Any]:
    """View of all windows: (samples, H, W, C) to (samples, OH, OW, C, ky, kx)."""
    view = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))  # type: ignore[call-overload]
    return view[:, :: stride[0], :: stride[1]]


def places(padded: IntArray, kernel: Pair, stride: Pair) -> Iterator[tuple[int, int, IntArray]]:
    """(y, x, elements (samples, OH, OW, C) at that place of every window) for each place of a window."""
    rows, columns = ((size - k) // s + 1 for size, k, s in zip(padded.shape[1:3], kernel, stride))
    for y in range(kernel[0]):
        for x in range(kernel[1]):
            down = slice(y, y + (rows - 1) * stride[0] + 1, stride[0])
            yield y, x, padded[:, down, x : x + (columns - 1) * stride[1] + 1 : stride[1]]
