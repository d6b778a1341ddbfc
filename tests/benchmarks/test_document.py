"""docs/benchmarks.md and its plots are what the command makes of docs/benchmarks.json, losses included."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import speedup
from benchmarks.document import document
from benchmarks.plot import svg

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def test_the_page_is_generated_from_its_rows() -> None:
    rows = json.loads(PAGE.with_suffix(".json").read_text(encoding="utf-8"))
    assert all(row["mismatches"] == 0 for row in rows)
    text = PAGE.read_text(encoding="utf-8")
    assert text == document(rows, "benchmarks.svg", "benchmarks.json")
    assert PAGE.with_suffix(".svg").read_text(encoding="utf-8") == svg(rows)
    assert PAGE.with_name("speedup.svg").read_text(encoding="utf-8") == speedup.svg(rows)
    for row in rows:
        if row["ratio"] and row["ratio"] < 1:
            assert f"* {row['core']} {row['layer']}, {row['mode']}: {row['ratio']:.2f}" in text
