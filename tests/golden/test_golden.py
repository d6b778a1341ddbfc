"""Generated C, README and report, the `.et` bytes of two small models letter by letter; cells of their RTLIL.

A refactor leaves these files unchanged; a change that means to alter them runs `make golden` and says why.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

import edgeternary
from edgeternary.c.render import render
from edgeternary.hdl.emit import rtlil
from edgeternary.ir import Graph
from edgeternary.ir.file import to_bytes
from edgeternary.ir.text import dump
from edgeternary.report.html.pages import pages
from tests.golden.models import MODELS
from tests.need import need

FOLDER = Path(__file__).parent
UPDATE = os.environ.get("EDGETERNARY_UPDATE_GOLDEN") == "1"


def check(name: str, text: str) -> None:
    """Compare with the golden file, or write it again."""
    path = FOLDER / name
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{name} is missing: make golden"
    assert path.read_text(encoding="utf-8") == text, f"{name} changed: if it was meant to, make golden"


@pytest.fixture(params=sorted(MODELS))
def graph(request: pytest.FixtureRequest) -> Graph:
    return MODELS[request.param]()


def test_golden_text(graph: Graph) -> None:
    check(
        f"{graph.name}.txt", dump(graph) + f"\nsha256 of .et {hashlib.sha256(to_bytes(graph)).hexdigest()}\n"
    )


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_golden_c(graph: Graph, core: str) -> None:
    """Kernels and assembly depend on the core: <core>.<file>."""
    for name, text in render(graph, core).items():
        check(f"{core}.{name}", text)


def test_golden_pages(graph: Graph) -> None:
    """What `compile --core host` says of the model: its README, the report and its numbers."""
    for name, text in pages(edgeternary.compile(graph, core="host")).items():
        check(f"host.{graph.name}.{name}", text)


def test_golden_rtlil(graph: Graph) -> None:
    """Kinds of cells and how many: the text itself depends on the version of Amaranth."""
    need("amaranth")
    cells = sorted(re.findall(r"^\s*cell (\$?\w+) ", rtlil(graph), flags=re.M))
    counts = {cell: cells.count(cell) for cell in sorted(set(cells))}
    check(f"{graph.name}.cells.txt", "".join(f"{cell} {count}\n" for cell, count in counts.items()))
