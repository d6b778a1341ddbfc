"""Frames as beats: arrays of codes to the payloads of a stream and back, as little-endian 32-bit words."""

import numpy as np
from numpy.typing import NDArray

from edgeternary.ir import IntArray
from edgeternary_hw import Answer, Element

Words = NDArray[np.uint32]


def words_of(bits: int) -> int:
    """32-bit words that hold one payload."""
    return -(-bits // 32)


def pack(array: IntArray, element: Element, lanes: int, spare: int = 0) -> Words:
    """Elements in stream order (any shape, channels last) to payloads (beats, words), with room for `spare`
    bits above them."""
    numbers = np.ascontiguousarray(array).reshape(-1, lanes).astype(np.int64)
    if element.kind == "bipolar":
        numbers = (numbers > 0).astype(np.int64)
    elif element.kind == "ternary":
        numbers = (numbers > 0) + 2 * (numbers < 0).astype(np.int64)
    bits = (numbers[:, :, None] >> np.arange(element.width)) & 1
    payload = bits.reshape(len(numbers), -1).astype(np.uint8)
    size = 32 * words_of(payload.shape[1] + spare)
    padded = np.zeros((len(payload), size), np.uint8)
    padded[:, : payload.shape[1]] = payload
    return np.packbits(padded, axis=1, bitorder="little").view("<u4")


def unpack(words: Words, element: Element, lanes: int, shape: tuple[int, ...]) -> IntArray:
    """Payloads (beats, words) to elements int32 of `shape`."""
    raw = np.ascontiguousarray(words.astype("<u4")).view(np.uint8)
    bits = np.unpackbits(raw, axis=1, bitorder="little")[:, : lanes * element.width]
    planes = bits.reshape(-1, lanes, element.width).astype(np.int64)
    numbers = planes @ (np.int64(1) << np.arange(element.width, dtype=np.int64))
    if element.kind == "bipolar":
        numbers = 2 * numbers - 1
    elif element.kind == "ternary":
        numbers = planes[:, :, 0] - planes[:, :, 1]
    elif element.kind == "signed":
        numbers -= planes[:, :, -1] << element.width
    return numbers.astype(np.int32).reshape(shape)


def answers(words: Words, count: int, part: Answer, signed: bool) -> tuple[IntArray, IntArray | None]:
    """Beats of `count` answers, part.beat bytes each, to numbers int32 (count, n) and, if they are sent,
    the indices of the largest."""
    raw = np.ascontiguousarray(words.astype("<u4")).view(np.uint8)[:, : part.beat]
    frame = raw.reshape(count, part.beats * part.beat)
    end = part.count * part.size
    digits = frame[:, :end].reshape(count, part.count, part.size).astype(np.int64)
    numbers = digits @ (np.int64(1) << 8 * np.arange(part.size, dtype=np.int64))
    if signed:
        numbers -= (digits[:, :, -1] >> 7) << 8 * part.size
    index = frame[:, end : end + part.index_bytes].astype(np.int64) @ (
        np.int64(1) << 8 * np.arange(part.index_bytes, dtype=np.int64)
    )
    return numbers.astype(np.int32), index.astype(np.int32) if part.index else None


def payloads(words: Words) -> list[int]:
    """Payloads (beats, words) as Python integers."""
    if words.shape[1] == 1:
        return [int(word) for word in words[:, 0]]
    return [int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words]


def words(values: list[int], bits: int) -> Words:
    """Python integers as payloads (beats, words)."""
    size = 4 * words_of(bits)
    data = b"".join(value.to_bytes(size, "little") for value in values)
    return np.frombuffer(data, "<u4").reshape(len(values), size // 4)
