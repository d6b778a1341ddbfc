"""Plain tables on a terminal; the same rows go out as JSON."""

import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

WIDTH = 400  # without a terminal: a row is never folded, `| grep` and `| less -S` see it whole
GAP = 2  # spaces between columns
LEAST = 20  # columns that a folded text has
NUMBER = re.compile(r"(=|[+-]?[\d,.]+%?( \([+-][\d.]+%\))?)?")
RARE = (
    "title", "where", "opt_level", "cycles_most", "card_accuracy", "layouts", "layout", "ops", "scratch",
    "table_bytes", "code_bytes", "scratch_bytes", "output_bytes", "packed_bytes", "flash_per_weight",
    "cycles_per_mac", "estimate_error", "macs", "kind", "mode", "kernels", "fpga_cycles", "stack_bytes",
    "seconds", "instructions", "instructions_per_mac", "by", "whole", "zeros", "shape",
)  # fmt: skip

# Words for quantities and how a column head says them; anything else is its own head.
HEADS = {
    "flash_bytes": "flash B",
    "ram_bytes": "RAM B",
    "luts": "LUTs",
    "ffs": "FFs",
    "multipliers": "mult",
    "ram_blocks": "block RAMs",
    "single_port_rams": "single-port RAMs",
    "clock_hz": "clock",
    "fmax_mhz": "fmax MHz",
    "frames_per_s": "frames/s",
    "inferences_per_s": "inf/s",
    "instructions_per_mac": "instr/MAC",
    "cycles_per_mac": "cycles/MAC",
    "flash_per_weight": "flash B/weight",
    "baseline_instructions_per_mac": "int8 instr/MAC",
    "table_bytes": "table B",
    "code_bytes": "code B",
    "output_bytes": "output B",
    "scratch_bytes": "scratch B",
    "estimated_cycles": "est. cycles",
    "estimate_error": "error",
    "macs": "MACs",
    "float_accuracy": "float acc.",
    "card_accuracy": "card",
    "mean_accuracy": "mean",
    "weights_bits": "w bits",
    "activations_bits": "a bits",
    "packed_bytes": "packed B",
    "mismatches_torch": "torch mism.",
}
PERCENT = (
    "accuracy", "float_accuracy", "card_accuracy", "mean_accuracy", "spread", "share", "zeros",
    "estimate_error",
)  # fmt: skip


def cell(content: Any, key: str = "") -> str:
    """A number with thousands separators, accuracy as a percentage, nothing as an empty cell."""
    if content is None:
        return ""
    if isinstance(content, bool):
        return "yes" if content else "no"
    if key in PERCENT:
        return f"{content:.2%}" if key.endswith(("accuracy", "spread")) else f"{content:.1%}"
    if isinstance(content, int):
        return f"{content:,}"
    if isinstance(content, float):
        return f"{content:,.1f}" if abs(content) >= 10 else f"{content:.3g}"
    if isinstance(content, list | tuple):
        return ", ".join(map(str, content))
    return str(content)


class Lines:
    """A table whose rows are printed one by one: every column has its width from the start.

    columns: {key: width}; TEXT columns stand left, numbers right. On a terminal those that fit are shown.
    """

    TEXT = ("model", "executor")

    def __init__(self, columns: Mapping[str, int]) -> None:
        width = terminal_width()
        shown = fitting({key: ["x" * n] for key, n in columns.items()}, columns, width) if width else columns
        self.columns = {key: columns[key] for key in shown}

    def head(self) -> str:
        return self._line({key: HEADS.get(key, key) for key in self.columns})

    def row(self, row: Mapping[str, Any]) -> str:
        return self._line({key: cell(row.get(key), key) for key in self.columns})

    def _line(self, cells: Mapping[str, str]) -> str:
        places = (f"{cells[key]:{'<' if key in self.TEXT else '>'}{n}}" for key, n in self.columns.items())
        return "  ".join(places).rstrip()


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str = "", footer: str = ""
) -> None:
    """Print rows on stdout; columns without any content are left out.

    On a terminal the table has its width: long texts are folded, columns are left out and named in a last
    line. Anywhere else a row is one line, and every column is there.
    """
    from rich.console import Console
    from rich.table import Table

    width = terminal_width()
    keys = [key for key in columns if any(row.get(key) not in (None, "") for row in rows)]
    cells = {key: [HEADS.get(key, key), *(cell(row.get(key), key) for row in rows)] for key in keys}
    numeric = {key for key in keys if all(isinstance(row.get(key), int | float | None) for row in rows)}
    shown = fitting(cells, numeric, width) if width else keys
    console = Console(width=width or WIDTH, highlight=False, markup=False, force_terminal=bool(width))
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
    for key in shown:
        figures = key in numeric or all(map(NUMBER.fullmatch, cells[key][1:]))
        justify: Literal["left", "right"] = "right" if figures else "left"
        whole = not width or key in numeric
        table.add_column(cells[key][0], justify=justify, no_wrap=whole, overflow="fold")
    for number, row in enumerate(rows, 1):
        style = "red" if any(row.get(key) for key in shown if key.startswith("mismatches")) else ""
        table.add_row(*(cells[key][number] for key in shown), style=style)
    with console.capture() as capture:
        console.print(table)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    left_out = ", ".join(cells[key][0] for key in keys if key not in shown)
    note = f"(not shown: {left_out}; a wider terminal or --json shows all)" if left_out else ""
    print("\n".join([*title.splitlines(), *lines, *map(wrapped, (*note.splitlines(), *footer.splitlines()))]))


def terminal_width() -> int:
    """Columns of the terminal that stdout is; 0 where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def wrapped(line: str, indent: int = 2) -> str:
    """A line of text, on a terminal broken to its width; what follows is indented by `indent` spaces."""
    width = terminal_width()
    if not width or len(line) <= width:
        return line
    return textwrap.fill(line, width, break_on_hyphens=False, subsequent_indent=" " * indent)


def fitting(cells: Mapping[str, Sequence[str]], numeric: Collection[str], width: int) -> list[str]:
    """The columns that are shown in `width`: without the rare ones, then the last ones, as far as they must.

    cells: {key: head and cells}. Texts can be folded down to LEAST columns; numbers can not.
    """
    natural = {key: max(map(len, texts), default=0) for key, texts in cells.items()}
    least = {key: size if key in numeric else min(size, LEAST) for key, size in natural.items()}
    kept = list(cells)
    for key in (*(key for key in RARE if key in cells), *list(cells)[:0:-1]):
        if sum(least[name] + GAP for name in kept) - GAP <= width:
            break
        if key in kept:
            kept.remove(key)
    return kept
