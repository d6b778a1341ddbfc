"""The Python in docs/training.md and docs/migration.md runs, recipes are valid, zoo.md is current."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edgeternary.report.zoo_page import zoo_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOREIGN = ("# brevitas", "# larq")  # first line of a block in another library
RECIPE = {"name": "x", "data": "fashion-mnist", "model": {"build": "cnn", "channels": [4]}}


def blocks(document: str, language: str) -> list[str]:
    text = (DOCS / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.torch
@pytest.mark.parametrize("document", ["training.md", "migration.md"])
def test_python(document: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    ours = [block for block in blocks(document, "python") if not block.startswith(FOREIGN)]
    assert len(ours) >= 2
    names: dict[str, Any] = {}
    for block in ours:
        exec(compile(block, document, "exec"), names)
    assert names["graph"].macs() > 0


@pytest.mark.torch
@pytest.mark.parametrize("block", blocks("training.md", "toml"))
def test_recipes(block: str) -> None:
    pytest.importorskip("torch")
    from edgeternary.train.toml import from_table

    table = tomllib.loads(block)
    table.pop("sweep", None)
    from_table({**RECIPE, **table}).parts()


def test_the_page_of_the_zoo_is_current() -> None:
    page = DOCS / "zoo.md"
    assert page.read_text() == zoo_page(), "edgeternary zoo --markdown docs/zoo.md"
