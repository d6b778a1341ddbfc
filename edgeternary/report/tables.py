"""Plain tables on a terminal; the same rows go out as JSON."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

WIDTH = 400  # a row is never folded: a narrow terminal wraps it, `| grep` and `| less -S` see it whole

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

    columns: {key: width}; TEXT columns stand left, numbers right.
    """

    TEXT = ("model", "executor")

    def __init__(self, columns: Mapping[str, int]) -> None:
        self.columns = columns

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
    """Print rows on stdout; columns without any content are left out."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=WIDTH, highlight=False, markup=False, force_terminal=sys.stdout.isatty())
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    keys = [key for key in columns if any(row.get(key) not in (None, "") for row in rows)]
    for key in keys:
        numeric = all(isinstance(row.get(key), int | float | None) for row in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(HEADS.get(key, key), justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*(cell(row.get(key), key) for key in keys))
    with console.capture() as capture:
        console.print(table)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    print("\n".join([*title.splitlines(), *lines, *footer.splitlines()]))
