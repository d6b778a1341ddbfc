"""Slices: the layout of conv2d_slices, a word being one plane of one channel of 32 pixels."""

from dataclasses import dataclass

import numpy as np

from edgeternary.c.layouts import WORD_BYTES, Layout
from edgeternary.ir import IntArray, Value, encoding
from edgeternary.ops import Conv2d

WORD = encoding.WORD


@dataclass(frozen=True)
class Slices(Layout):
    """Rows of pixels side by side in 32-bit words, each channel and plane of its own.

    The pixels are cut into lines of `width` pixels: the rows of the image, or 32 pixels as they come. Bit
    l * stride + i of word (r, c, k) is bit i of line r + l * split in plane k of channel c; all other bits
    are 0. Where the stride leaves room for the pad of a window, a horizontal tap is a shift.
    """

    width: int
    stride: int
    split: int

    @property
    def name(self) -> str:
        return f"slices:{self.parts}x{self.stride}:{self.width}:{self.split}"

    @property
    def parts(self) -> int:
        """Lines in a word."""
        return WORD // self.stride

    def size(self, value: Value) -> int:
        return self.split * value.channels * value.type.planes * WORD_BYTES

    def ctype(self, value: Value) -> str:
        return "uint32_t"

    def encode(self, codes: IntArray, value: Value) -> bytes:
        pixels = codes.reshape(-1, value.channels)
        planes = np.stack(
            [encoding.pack(pixels.reshape(-1, 1), value.type)[k] for k in range(value.type.planes)]
        )
        bits = np.zeros((len(pixels), value.channels, value.type.planes), np.uint32)
        bits[:] = planes[..., 0].reshape(-1, len(pixels), value.channels).transpose(1, 2, 0)
        words = np.zeros((self.split, value.channels, value.type.planes), np.uint32)
        for pixel, (row, bit) in enumerate(self._places(len(pixels))):
            words[row] |= bits[pixel] << np.uint32(bit)
        return words.astype("<u4").tobytes()

    def decode(self, data: bytes, value: Value) -> IntArray:
        pixels, planes = value.size // value.channels, value.type.planes
        words = np.frombuffer(data, "<u4", count=self.split * value.channels * planes)
        words = words.reshape(self.split, value.channels, planes)
        bits = np.stack([words[row] >> np.uint32(bit) & 1 for row, bit in self._places(pixels)])
        packed = bits.transpose(2, 0, 1).reshape(planes, -1, 1)
        return encoding.unpack(packed, value.type, 1).reshape(value.shape)

    def masks(self, pixels: int) -> list[tuple[int, int]]:
        """Rows in a run with the same bits that hold pixels: (first row, those bits)."""
        masks = [0] * self.split
        for row, bit in self._places(pixels):
            masks[row] |= 1 << bit
        return [(row, mask) for row, mask in enumerate(masks) if row == 0 or mask != masks[row - 1]]

    def _places(self, pixels: int) -> list[tuple[int, int]]:
        """Row and bit of each pixel."""
        lines = [divmod(pixel, self.width) for pixel in range(pixels)]
        return [(line % self.split, line // self.split * self.stride + i) for line, i in lines]


def pointwise(value: Value) -> Slices:
    """32 pixels a word, as they come."""
    return Slices(WORD, WORD, -(-value.size // value.channels // WORD))


def required(op: Conv2d, value: Value) -> Slices | None:
    """The layout that a window requires: with room for its pads and no more.

    None where a row with its pads is wider than a word, or a pad higher than a part.
    """
    if op.kernel == (1, 1):
        return pointwise(value)
    height, width, _ = value.shape
    needed = width + max(op.pad[1], op.pad[3])
    stride = next((size for size in (1, 2, 4, 8, 16, 32) if size >= needed), 0)
    if not stride:
        return None
    layout = Slices(width, stride, -(-height * stride // WORD))
    return layout if serves(layout, op, value) else None


def serves(layout: Slices, op: Conv2d, value: Value) -> bool:
    """Whether a window finds its taps in a layout."""
    return op.kernel == (1, 1) or (
        layout.width == value.shape[1]
        and layout.stride >= layout.width + max(op.pad[1], op.pad[3])
        and layout.split >= max(op.pad[0], op.pad[2])
    )
