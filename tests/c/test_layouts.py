"""Layouts: memory images and back, and the bits that the documentation promises."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.c.layouts import NATURAL, Layout, Planes, planes
from edgeternary.ops import build


@pytest.mark.parametrize("type", ["bipolar", "binary", "ternary", "uint2", "int3", "uint4", "int8", "uint8"])
@pytest.mark.parametrize("shape", [(5,), (33,), (2, 3, 7), (2, 2, 32), (1, 2, 70)])
def test_round_trip(type: str, shape: tuple[int, ...]) -> None:
    value = build.value("v", shape, type)
    codes = build.samples(np.random.default_rng(0), value, 3)[2]
    layouts: list[Layout] = [NATURAL, planes(value), planes(value, 1)]
    for layout in layouts:
        image = layout.encode(codes, value)
        assert len(image) == layout.size(value)
        np.testing.assert_array_equal(layout.decode(image, value), codes)


def test_planes_of_a_word_follow_each_other() -> None:
    value = build.value("v", (2, 2), "uint2")
    codes = np.array([[1, 2], [3, 0]], np.int32)
    words = np.frombuffer(planes(value).encode(codes, value), "<u4")
    np.testing.assert_array_equal(words, [0b01, 0b10, 0b01, 0b01])


def test_ternary_planes_are_plus_then_minus() -> None:
    value = build.value("v", (3,), "ternary")
    words = np.frombuffer(planes(value).encode(np.array([1, 0, -1], np.int32), value), "<u4")
    np.testing.assert_array_equal(words, [0b001, 0b100])


def test_groups_that_end_at_word_borders_are_one_layout() -> None:
    pixels, flat = build.value("v", (2, 2, 64), "uint2"), build.value("v", (256,), "uint2")
    assert planes(pixels) == planes(flat) == planes(flat, 32) == Planes(256)
    assert planes(pixels, 16) != planes(pixels)


def test_sixteen_bits_in_natural_layout() -> None:
    value = build.value("v", (2,), "int16")
    assert NATURAL.encode(np.array([-2, 258], np.int32), value) == b"\xfe\xff\x02\x01"
