"""Identifiers: nothing of a layer's name but letters, digits and single underscores reaches C or Verilog."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.names import KEYWORDS, check_name, identifier

HOSTILE = [
    "a*/ int x; /*", 'b"; system("id"); //', "c\\", "d??/", "int", "module", "3d", "", "_", "__x__", "名前",
    "a.b-c", "`define", "$display", "%s%n", "e'f", "../../etc",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_become_plain_identifiers(name: str) -> None:
    found = identifier(name)
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", found)
    assert found not in KEYWORDS


@given(st.lists(st.text(max_size=60), max_size=12))
def test_identifiers_are_unique(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        found = identifier(name, taken)
        assert re.fullmatch(r"[a-z][a-z0-9_]*", found) and "__" not in found and found not in KEYWORDS
        assert found not in taken
        taken.add(found)


def test_clashes_are_numbered_in_order() -> None:
    assert identifier("a.b", {"a_b"}) == "a_b_2"
    assert identifier("a.b", {"a_b", "a_b_2"}) == "a_b_3"


@pytest.mark.parametrize("name", ["", "a\nb", "a\tb", "a\0", "x" * 201, "a\u2028b", "a\u202eb"])
def test_unprintable_empty_and_endless_names_are_refused(name: str) -> None:
    with pytest.raises(EdgeTernaryError, match="bad layer name"):
        check_name(name, "layer")
