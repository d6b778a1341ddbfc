"""The table of verified boards: its page, its coverage, and a row that is made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import app
from benchmarks.boards import ENTRIES
from benchmarks.boards_page import document
from edgeternary import cli
from edgeternary.boards import load_all
from tests.need import need

DOCS = Path(__file__).parents[2] / "docs"
ROWS = json.loads((DOCS / "verified.json").read_text())


def test_the_page_is_that_of_the_rows() -> None:
    assert (DOCS / "verified.md").read_text() == document(ROWS, "verified.json")


def test_what_is_covered() -> None:
    """All cores that QEMU has, the Pico, FPGA tops and a bitstream, on 200 images each, no mismatch."""
    assert all(row["samples"] >= 200 and row["mismatches"] == 0 for row in ROWS)
    by = {
        how: {row["board"] for row in ROWS if row["by"] == how}
        for how in ("qemu", "rp2040js", "fpga", "bitstream")
    }
    assert len(by["qemu"]) >= 8 and by["rp2040js"] == {"pico"}
    assert len(by["fpga"]) >= 2 and by["bitstream"]
    assert {load_all()[board].core for board in by["qemu"]} >= {
        "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55",
    }  # fmt: skip
    assert len({row["board"] for row in ROWS if "cnn" in row["model"]}) >= 4
    assert len({row["seed"] for row in ROWS}) == len(ROWS)
    assert {(row["model"], row["board"]) for row in ROWS} == {(e.model, e.board) for e in ENTRIES}


@pytest.mark.system
def test_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    need("qemu-system-arm", "zig", "pyserial")
    name = "mnist-mlp-binary-64 on mps2_an386"
    assert cli.call(["boards", "--only", name, "--samples", "5", "--json"], app) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["board"], row["samples"], row["mismatches"]) == ("mps2_an386", 5, 0)
    committed = next(r for r in ROWS if (r["board"], r["model"]) == (row["board"], row["model"]))
    assert row["core"] == committed["core"] and row["image_bytes"] > row["flash_bytes"] > 0


def test_names_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["boards", "--only", "pdp11"], app) == 2
    assert "there are mnist-mlp" in capsys.readouterr().err
