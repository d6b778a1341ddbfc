"""Layouts: how a value lies in memory.

natural     the type's storage integer (int8_t, uint8_t, int16_t, uint16_t, int32_t), row-major, channels last
planes:G    bit planes along the channels. The elements, in row-major order, are cut into groups of G (the
            channels of a pixel); a group starts at a word and fills ceil(G / 32) words, element i of the
            group being bit i % 32 of word i / 32; the planes of a word follow each other:

                group 0: word 0 plane 0, word 0 plane 1, ..., word 1 plane 0, ...   group 1: ...

            Planes are those of `edgeternary.ir.encoding`; unused bits are 0. Words of one group stay together
            with all their planes, so a reshape never moves a word, and a kernel walks one pointer.

lanes       several vertical parts of an image share each 32-bit word: see `Lanes`; `Stripes` are cut along
            the width

A group whose size is a multiple of 32 ends at a word border, so all such groupings are the same memory and
have one name: G is then the size of the whole value.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from edgeternary.ir import IntArray, Type, Value, encoding

WORD_BYTES = 4


class Layout(ABC):
    """How a value lies in memory. Instances compare equal when the memory is the same."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As reports show it."""

    @abstractmethod
    def size(self, value: Value) -> int:
        """Size of `value` in this layout."""

    @abstractmethod
    def ctype(self, value: Value) -> str:
        """C type of one element of the array that holds `value`."""

    @abstractmethod
    def encode(self, codes: IntArray, value: Value) -> bytes:
        """Memory image (little-endian) of codes of shape `value.shape`."""

    @abstractmethod
    def decode(self, data: bytes, value: Value) -> IntArray:
        """int32 codes of shape `value.shape` from a memory image; the inverse of `encode`."""


@dataclass(frozen=True)
class Natural(Layout):
    """One storage integer an element, row-major, channels last."""

    @property
    def name(self) -> str:
        return "natural"

    def size(self, value: Value) -> int:
        return value.size * value.type.dtype.itemsize

    def ctype(self, value: Value) -> str:
        return value.type.ctype

    def encode(self, codes: IntArray, value: Value) -> bytes:
        return codes.astype(value.type.dtype.newbyteorder("<")).tobytes()

    def decode(self, data: bytes, value: Value) -> IntArray:
        flat = np.frombuffer(data, value.type.dtype.newbyteorder("<"), count=value.size)
        return flat.reshape(value.shape).astype(np.int32)


@dataclass(frozen=True)
class Planes(Layout):
    """Bit planes in 32-bit words along groups of `group` elements; make one with `planes`."""

    group: int

    @property
    def name(self) -> str:
        return f"planes:{self.group}"

    @property
    def words(self) -> int:
        """Words of one plane of one group."""
        return encoding.words(self.group)

    def size(self, value: Value) -> int:
        return value.size // self.group * self.words * value.type.planes * WORD_BYTES

    def ctype(self, value: Value) -> str:
        return "uint32_t"

    def encode(self, codes: IntArray, value: Value) -> bytes:
        packed = encoding.pack(codes.reshape(-1, self.group), value.type)  # planes, groups, words
        return packed.transpose(1, 2, 0).astype("<u4").tobytes()

    def decode(self, data: bytes, value: Value) -> IntArray:
        groups = value.size // self.group
        words = np.frombuffer(data, "<u4", count=groups * self.words * value.type.planes)
        packed = words.reshape(groups, self.words, value.type.planes).transpose(2, 0, 1)
        return encoding.unpack(packed, value.type, self.group).reshape(value.shape)


@dataclass(frozen=True)
class Words(Layout):
    """Parts of an image side by side in 32-bit words: what `Lanes` and `Stripes` have in common."""

    starts: tuple[int, ...]
    rows: int
    width: int
    top: int
    left: int
    pad: int

    @property
    def lanes(self) -> int:
        """Parts, and numbers in a word."""
        return len(self.starts)

    @property
    def bits(self) -> int:
        """Bits of a lane."""
        return lane_bits(self.lanes)

    @property
    def ones(self) -> int:
        """A word with 1 in every lane."""
        return lane_ones(self.lanes)

    def pad_word(self, value: Value) -> int:
        """A word with the pad in every lane."""
        return int(lane_code(np.array(self.pad, np.int32), value.type)) * self.ones

    def size(self, value: Value) -> int:
        return self.rows * self.width * value.channels * WORD_BYTES

    def ctype(self, value: Value) -> str:
        return "uint32_t"

    def described(self, kind: str) -> str:
        """The name of such a layout."""
        starts = ",".join(map(str, self.starts))
        size = f"{self.rows}x{self.width}+{self.top}+{self.left}"
        return f"{kind}:{self.lanes}x{self.bits}:{size}:{starts}:{self.pad}"


@dataclass(frozen=True)
class Lanes(Words):
    """Vertical parts of an image side by side in 32-bit words, with the border that a window needs.

    The image (H, W, C) is surrounded by pads and cut into parts, the first rows of which are `starts`. Word
    (r, q, c) holds in lane l, counted from the low bits, the element of padded row starts[l] + r, padded
    column q, channel c. A lane holds (x - type.lo) / unit, which is never negative (unit is 2 for bipolar,
    else 1). So every tap of a window is a whole word at a fixed distance, and rows that two parts both need
    (the halo) are there twice. A value of height 1 is cut along its width: H and W change places.

    starts       first padded row of each part: 2 parts of 16 bits or 4 of 8 bits
    rows, width  size of the words' array, in rows and columns
    top, left    pads above and on the left; below and on the right there is pad as well
    pad          the code that the pads hold
    """

    @property
    def name(self) -> str:
        return self.described("lanes")

    def encode(self, codes: IntArray, value: Value) -> bytes:
        height, width = tall(value.shape)[:2]
        image = np.full((self.starts[-1] + self.rows, self.width, value.channels), self.pad, np.int32)
        image[self.top : self.top + height, self.left : self.left + width] = codes.reshape(tall(value.shape))
        raised = lane_code(image, value.type).astype(np.uint32)
        words = np.zeros((self.rows, self.width, value.channels), np.uint32)
        for lane, start in enumerate(self.starts):
            words |= raised[start:][: self.rows] << np.uint32(self.bits * lane)
        return words.astype("<u4").tobytes()

    def decode(self, data: bytes, value: Value) -> IntArray:
        height, width, channels = tall(value.shape)
        words = np.frombuffer(data, "<u4", count=self.rows * self.width * channels)
        words = words.reshape(self.rows, self.width, channels)[:, self.left : self.left + width]
        padded = self.top + np.arange(height)
        starts = np.array(self.starts)
        lane = np.searchsorted(starts, padded, side="right") - 1
        mask = np.uint32((1 << self.bits) - 1)
        shift = (self.bits * lane).astype(np.uint32)[:, None, None]
        raised = (words[padded - starts[lane]] >> shift & mask).astype(np.int32)
        return (raised * lane_unit(value.type) + value.type.lo).reshape(value.shape)


@dataclass(frozen=True)
class Stripes(Words):
    """Like `Lanes`, of an image that is cut along its width: `starts` are columns.

    Word (r, q, c) holds in lane l the element of padded row r, padded column starts[l] + q, channel c. Made
    for images whose rows are too few, or of a number that leaves lanes empty.

    flat  the pixels, row after row, are one row; for windows of one pixel
    """

    flat: bool = False

    @property
    def name(self) -> str:
        return self.described("flat" if self.flat else "stripes")

    def view(self, value: Value) -> tuple[int, int, int]:
        """(H, W, C) of the image that is cut."""
        height, width, channels = value.shape
        return (1, height * width, channels) if self.flat else (height, width, channels)

    def encode(self, codes: IntArray, value: Value) -> bytes:
        height, width, channels = self.view(value)
        image = np.full((self.rows, self.starts[-1] + self.width, channels), self.pad, np.int32)
        image[self.top : self.top + height, self.left : self.left + width] = codes.reshape(self.view(value))
        raised = lane_code(image, value.type).astype(np.uint32)
        words = np.zeros((self.rows, self.width, channels), np.uint32)
        for lane, start in enumerate(self.starts):
            words |= raised[:, start:][:, : self.width] << np.uint32(self.bits * lane)
        return words.astype("<u4").tobytes()

    def decode(self, data: bytes, value: Value) -> IntArray:
        height, width, channels = self.view(value)
        words = np.frombuffer(data, "<u4", count=self.rows * self.width * channels)
        words = words.reshape(self.rows, self.width, channels)[self.top : self.top + height]
        padded = self.left + np.arange(width)
        starts = np.array(self.starts)
        lane = np.searchsorted(starts, padded, side="right") - 1
        mask = np.uint32((1 << self.bits) - 1)
        shift = (self.bits * lane).astype(np.uint32)[:, None]
        raised = (words[:, padded - starts[lane]] >> shift & mask).astype(np.int32)
        return (raised * lane_unit(value.type) + value.type.lo).reshape(value.shape)


def lane_bits(lanes: int) -> int:
    """Bits of each lane where a word has `lanes`."""
    return 8 * WORD_BYTES // lanes


def lane_ones(lanes: int) -> int:
    """A word with 1 in every lane."""
    return sum(1 << lane_bits(lanes) * lane for lane in range(lanes))


def lane_unit(type: Type) -> int:
    """Distance of two neighbouring codes, which a lane counts as 1."""
    return 2 if type.name == "bipolar" else 1


def lane_code(codes: IntArray, type: Type) -> IntArray:
    """What lanes hold for codes."""
    return (codes - type.lo) // lane_unit(type)


def tall(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(H, W, C) as lanes see it: an image of height 1 stands on its side."""
    height, width, channels = shape
    return (width, 1, channels) if height == 1 else (height, width, channels)


NATURAL = Natural()


def planes(value: Value, group: int | None = None) -> Planes:
    """Bit planes of `value` along its channels, or along groups of `group` elements."""
    group = value.channels if group is None else group
    return Planes(value.size if group % encoding.WORD == 0 else group)
