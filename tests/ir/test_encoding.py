"""Bit planes: layout by hand, round trips, and what must be refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import parse
from edgeternary.ir.encoding import pack, unpack

TYPES = ["bipolar", "binary", "ternary", "int2", "uint3", "int8", "uint8", "int16", "uint16", "int32"]


def test_element_i_is_bit_i_of_little_endian_words() -> None:
    codes = np.zeros(40, np.int8)
    codes[[0, 5, 33]] = 1
    np.testing.assert_array_equal(pack(codes, parse("binary")), [[1 + 32, 2]])


def test_bipolar_bit_one_is_plus_one() -> None:
    np.testing.assert_array_equal(pack(np.array([1, -1, -1, 1]), parse("bipolar")), [[0b1001]])


def test_ternary_planes_are_positive_then_negative() -> None:
    np.testing.assert_array_equal(pack(np.array([1, 0, -1, -1]), parse("ternary")), [[0b0001], [0b1100]])


def test_planes_of_integers_are_the_bits_of_the_twos_complement() -> None:
    # -3 is 101, 2 is 010, -4 is 100 in three bits.
    np.testing.assert_array_equal(pack(np.array([-3, 2, -4]), parse("int3")), [[0b001], [0b010], [0b101]])


def test_leading_axes_stay() -> None:
    codes = np.arange(2 * 3 * 33).reshape(2, 3, 33) % 4
    packed = pack(codes, parse("uint2"))
    assert packed.shape == (2, 2, 3, 2)
    np.testing.assert_array_equal(packed[:, 1, 2], pack(codes[1, 2], parse("uint2")))


@given(st.sampled_from(TYPES), st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=70))
def test_round_trip(name: str, raw: list[int]) -> None:
    type = parse(name)
    codes = np.array([type.lo + n % (type.hi - type.lo + 1) for n in raw], np.int64)
    if name == "bipolar":
        codes = np.where(codes >= 0, 1, -1)
    found = unpack(pack(codes, type), type, codes.size)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, codes)


@pytest.mark.parametrize(("name", "code"), [("binary", 2), ("bipolar", 0), ("ternary", -2), ("uint3", -1)])
def test_other_codes_are_refused(name: str, code: int) -> None:
    with pytest.raises(EdgeTernaryError, match=f"not {name}"):
        pack(np.array([1, code]), parse(name))


def test_the_illegal_ternary_pair_is_refused() -> None:
    with pytest.raises(EdgeTernaryError, match="illegal ternary"):
        unpack(np.array([[3], [2]], np.uint32), parse("ternary"), 2)


def test_padding_bits_are_ignored_by_unpack() -> None:
    np.testing.assert_array_equal(unpack(np.array([[0xFFFFFFFF]], np.uint32), parse("binary"), 3), [1, 1, 1])
