"""Layouts: how a value lies in memory.

natural     the type's storage integer (int8_t, uint8_t, int16_t, uint16_t, int32_t), row-major, channels last
planes:G    bit planes along the channels. The elements, in row-major order, are cut into groups of G (the
            channels of a pixel); a group starts at a word and fills ceil(G / 32) words, element i of the
            group being bit i % 32 of word i / 32; the planes of a word follow each other:

                group 0: word 0 plane 0, word 0 plane 1, ..., word 1 plane 0, ...   group 1: ...

            Planes are those of `edgeternary.ir.encoding`; unused bits are 0. Words of one group stay together
            with all their planes, so a reshape never moves a word, and a kernel walks one pointer.

A group whose size is a multiple of 32 ends at a word border, so all such groupings are the same memory and
have one name: G is then the size of the whole value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from edgeternary.ir import IntArray, Value, encoding

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


NATURAL = Natural()


def planes(value: Value, group: int | None = None) -> Planes:
    """Bit planes of `value` along its channels, or along groups of `group` elements."""
    group = value.channels if group is None else group
    return Planes(value.size if group % encoding.WORD == 0 else group)
