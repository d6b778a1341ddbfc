"""Tables as wide as the terminal; without one, a row is a line and every column is there."""

from __future__ import annotations

import pytest

from edgeternary.report import tables
from edgeternary.report.times import at_clock

ROWS = [
    {"name": "conv1", "title": "a text that is longer than a terminal of 80 columns has room for, by far",
     "macs": 1_000_000, "needed_by": "words " * 12, "cycles": 12_345_678, "mismatches": 0, "verdict": "yes"},
    {"name": "conv2", "title": "", "macs": 1, "needed_by": "", "cycles": 2, "mismatches": 3, "verdict": "x"},
]  # fmt: skip
COLUMNS = tuple(ROWS[0])


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    return monkeypatch


def test_without_a_terminal_nothing_is_folded(capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_table(ROWS, COLUMNS, footer="the end " * 30)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and "\x1b" not in "".join(lines) and max(map(len, lines[:2])) > 150
    assert ("words " * 12).strip() in lines[1]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 400])
def test_a_table_fits(terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int) -> None:
    terminal.setattr(tables, "terminal_width", lambda: width)
    tables.print_table(ROWS, COLUMNS, title="a table", footer="the end " * 30)
    lines = capsys.readouterr().out.splitlines()
    text = "".join(lines).replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert max(len(line.replace("\x1b[1m", "").replace("\x1b[0m", "")) for line in lines) <= width
    assert "conv1" in text and ("not shown" in text) == (width < 100)


def test_wrong_rows_are_red_unless_no_colour_is_asked_for(
    terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.setattr(tables, "terminal_width", lambda: 80)
    tables.print_table(ROWS, ("name", "mismatches"))
    assert "\x1b[31m" not in capsys.readouterr().out
    terminal.delenv("NO_COLOR")
    tables.print_table(ROWS, ("name", "mismatches"))
    lines = capsys.readouterr().out.splitlines()
    assert "\x1b[31m" in lines[2] and "\x1b[31m" not in lines[1]


def test_cycles_as_time() -> None:
    assert at_clock(125_000, 125_000_000) == {"ms": 1.0, "inferences_per_s": 1000.0}
    assert at_clock(None, 125_000_000) == at_clock(0, 1) == at_clock(100, 0) == {}


def test_rows_that_come_one_by_one_fit(terminal: pytest.MonkeyPatch) -> None:
    columns = {
        "model": 20,
        "executor": 16,
        "instructions": 12,
        "cycles": 9,
        "flash_bytes": 8,
        "ram_bytes": 40,
    }
    assert list(tables.Lines(columns).columns) == list(columns)
    terminal.setattr(tables, "terminal_width", lambda: 80)
    lines = tables.Lines(columns)
    assert list(lines.columns) == ["model", "executor", "cycles", "flash_bytes"]
    assert len(lines.head()) <= 80 and "est" in lines.row({"model": "test", "cycles": 3})
