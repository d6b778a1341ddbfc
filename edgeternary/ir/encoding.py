"""Bit planes: the one packed form of codes, the same in `.et` files, generated C and HDL payloads.

Element i of the last axis is bit i, least significant first, of little-endian 32-bit words; unused
bits of the last word are 0.

    bipolar          one plane, bit 1 means +1
    binary           one plane
    ternary          two planes (p, n): +1 = (1, 0), 0 = (0, 0), -1 = (0, 1); (1, 1) is illegal
    intN, uintN      N planes, plane k holds bit k of the two's complement
"""

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.types import Type

WORD = 32


def words(count: int) -> int:
    """32-bit words that hold `count` bits."""
    return -(-count // WORD)


def pack(codes: NDArray[np.integer], type: Type) -> NDArray[np.uint32]:
    """Pack codes of shape (..., n) into words of shape (planes, ..., ceil(n / 32)).

    Raises EdgeTernaryError when a code is no member of `type`.
    """
    codes = np.asarray(codes)
    if not type.contains(codes):
        raise EdgeTernaryError(
            f"a code is not {type.name}", f"values reach from {codes.min()} to {codes.max()}"
        )
    planes = np.stack([_plane(codes, type, k) for k in range(type.planes)])
    padding = words(codes.shape[-1]) * WORD - codes.shape[-1]
    planes = np.pad(planes, [(0, 0)] * codes.ndim + [(0, padding)])
    packed = np.packbits(planes, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u4").astype(np.uint32)


def unpack(packed: NDArray[np.uint32], type: Type, count: int) -> NDArray[np.int32]:
    """The inverse of `pack`: words (planes, ..., ceil(count / 32)) to codes (..., count).

    Raises EdgeTernaryError for the illegal ternary pair (1, 1).
    """
    octets = np.ascontiguousarray(packed.astype("<u4")).view(np.uint8)
    planes = np.unpackbits(octets, axis=-1, bitorder="little", count=count)
    if type.name == "bipolar":
        return 2 * planes[0].astype(np.int32) - 1
    if type.name == "ternary":
        if np.any(planes[0] & planes[1]):
            raise EdgeTernaryError("illegal ternary code", "both bit planes of an element are 1")
        return planes[0].astype(np.int32) - planes[1]
    total = np.zeros(planes.shape[1:], np.int32)
    for k, plane in enumerate(planes):
        bit = plane.astype(np.int32)
        total += -(bit << k) if type.signed and k == type.planes - 1 else bit << k
    return total


def _plane(codes: NDArray[np.integer], type: Type, k: int) -> NDArray[np.uint8]:
    if type.name == "bipolar":
        return (codes > 0).astype(np.uint8)
    if type.name == "ternary":
        return (codes == (1, -1)[k]).astype(np.uint8)
    return ((codes.astype(np.int64) >> k) & 1).astype(np.uint8)
