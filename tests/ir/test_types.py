"""Types: names, members, storage, and the narrowest type of an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import parse, smallest

NAMES = ["bipolar", "binary", "ternary", "int32", *(f"{u}int{n}" for u in ("", "u") for n in range(2, 17))]
STORAGE = {
    "bipolar": "int8", "binary": "uint8", "ternary": "int8", "uint8": "uint8", "int8": "int8",
    "uint9": "uint16",
    "int9": "int16", "uint16": "uint16", "int16": "int16", "int32": "int32", "int2": "int8", "uint2": "uint8",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_gives_the_type_that_prints_as_it(name: str) -> None:
    assert str(parse(name)) == name
    assert parse(name).ctype == f"{parse(name).dtype}_t"


@pytest.mark.parametrize(
    "name", ["int1", "uint1", "int17", "uint32", "int08", "Int8", "int8 ", "", "float", "int٣"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(EdgeTernaryError, match="unknown type"):
        parse(name)


@pytest.mark.parametrize(("name", "dtype"), STORAGE.items())
def test_natural_storage(name: str, dtype: str) -> None:
    assert parse(name).dtype == np.dtype(dtype)


def test_bipolar_has_no_zero() -> None:
    assert parse("bipolar").contains(np.array([-1, 1]))
    assert not parse("bipolar").contains(np.array([-1, 0]))


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_the_narrowest_type_holds_the_interval_and_none_with_fewer_bits_does(a: int, b: int) -> None:
    lo, hi = sorted((a, b))
    found = smallest(lo, hi)
    assert found.lo <= lo and hi <= found.hi
    narrower = [parse(n) for n in NAMES if n != "bipolar" and parse(n).bits < found.bits]
    assert not any(t.lo <= lo and hi <= t.hi for t in narrower)


@pytest.mark.parametrize(("lo", "hi"), [(0, 2**31), (-(2**31) - 1, 0)])
def test_beyond_int32_there_is_none(lo: int, hi: int) -> None:
    with pytest.raises(EdgeTernaryError, match="does not fit int32"):
        smallest(lo, hi)
