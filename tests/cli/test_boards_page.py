"""docs/boards.md holds the tables that the command prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Answer

PAGE = Path(__file__).parents[2] / "docs" / "boards.md"


def test_the_page_has_the_tables(et: Callable[..., Answer]) -> None:
    answer = et("boards", "--markdown", "-")
    assert answer.code == 0 and answer.out.count("\n| `") >= 30
    assert answer.out in PAGE.read_text(encoding="utf-8"), "run: edgeternary boards --markdown -"
