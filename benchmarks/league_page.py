"""docs/league.md from the rows of `make bench-league`."""

from collections.abc import Iterable, Sequence

from benchmarks.league import DATA, OURS, Row
from benchmarks.published import Design, designs

HEAD = """# The league table

Networks on FPGAs: ours and those of other projects, counted by one yosys ({tools}), and what papers report.
`make bench-league BENCH_ARGS="FOLDER --document docs/{name}.md"` generates this page, [its plot]({name}.svg)
and `{name}.json`; without FOLDER it measures our networks and keeps the other rows.

![Accuracy on MNIST over LUTs]({name}.svg)

* *LUT6* are those of `synth_xilinx -family xc7`, *LUT4* those of `synth_ecp5 -nowidelut`, where a carry cell
  counts as two, and of `synth_ice40`, all with the options of `edgeternary/hdl/devices.toml`. After a plus
  sign stand the carry cells that these leave out: CARRY4 (four bits) and SB_CARRY (one). An empty cell was
  not counted.
* What comes in and what the module holds is in the table. An encoder turns numbers into bits; the argmax
  turns sums into the class.
* *latency* is in clocks, from a frame, or its first beat, to the class. *interval* is in clocks from one
  frame to the next; where it is not 1, weights are in block RAMs, which the column *RAMs* counts (xc7).
* *accuracy* of our rows is that of the same integers on the full test set. For other rows the full test set
  is run through the netlist for iCE40 that was counted; where it cannot be had, the figure is the authors'.
* No clock is given: the tools for place and route that are open know only two of the three fabrics.
"""
COLUMNS = (
    "network", "accuracy", "LUT6", "LUT4, ECP5", "LUT4, iCE40", "FF", "RAMs", "latency", "interval",
    "takes", "holds",
)  # fmt: skip
HOW = """
How each row came about:

"""
PUBLISHED = """
## Published figures

LUT6 after place and route with the vendor's tools, on large fast parts unless the row says otherwise, as the
authors report them. These are the open marks of the plot. *encoder*: inside or outside of what was counted,
or none where bits or pixels go straight into tables or trees.

"""
FOLDER = """
## The folder

The code of other projects is not part of this one. FOLDER holds a folder for each network, with

* `*.v`: all its Verilog. The top module takes a frame a clock and gives the class. Where a project leaves
  out the argmax, a module around it adds one, with a register at its end; *holds* says so.
* `facts.toml`: {keys} (`benchmarks/rivals.py` explains them).
* `frames.npz`, where there are data: `inputs`, uint8 (frames, bytes), the bits of the port from the lowest
  on, and `labels` (frames,). The frames are run through the netlist, one a clock.
"""


def document(rows: Sequence[Row], name: str) -> str:
    """Markdown of the rows: a table and their origins by data set, then what was published."""
    tools = ", ".join(dict.fromkeys(row["yosys"] for row in rows))
    parts = [HEAD.format(tools=tools, name=name)]
    for data in _ordered(row["data"] for row in rows):
        chosen = [row for row in rows if row["data"] == data]
        parts += [f"\n## {data}\n\n", _table(COLUMNS, map(_cells, _ranked(chosen)))]
        parts += [HOW, *(f"* {row['name']}: {_how(row)}\n" for row in _ranked(chosen))]
    parts.append(PUBLISHED)
    titles = ("network", "data", "accuracy", "LUT6", "encoder", "latency", "source")
    parts.append(_table(titles, map(_published, designs())))
    parts.append(FOLDER.format(keys=", ".join(f"`{key}`" for key in _keys())))
    return "".join(parts)


def _ordered(found: Iterable[str]) -> list[str]:
    return sorted(set(found), key=lambda data: (data not in DATA, data))


def _ranked(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row["accuracy"], row["name"]))


def _keys() -> Sequence[str]:
    from benchmarks.rivals import Facts

    return Facts.__struct_fields__


def _cells(row: Row) -> list[str]:
    luts = [_luts(row["counts"].get(fabric)) for fabric in ("xc7", "ecp5", "ice40")]
    first = next(iter(row["counts"].values()))
    counted = row["counts"].get("xc7", first)
    name = f"**{row['name']}**" if row["group"] == OURS else row["name"]
    return [
        name, f"{row['accuracy']:.2%}", *luts, f"{counted['ffs']:,}", f"{counted['ram_blocks']}",
        f"{row['latency']:,}", f"{row['interval']:,}", row["takes"], row["holds"],
    ]  # fmt: skip


def _luts(count: dict[str, int] | None) -> str:
    if count is None:
        return ""
    return f"{count['luts']:,}" + (f" + {count['carries']:,}" if count["carries"] else "")


def _how(row: Row) -> str:
    words = f"{row['how']}. Accuracy: {row['accuracy_of']}"
    if "mismatches" in row:
        words += f"; {row['mismatches']} mismatches of 1,000 frames in CXXRTL"
    if "source" not in row:
        return words + "."
    return f"{words}. {row['source']}, commit {row['commit'][:10]}."


def _published(design: Design) -> list[str]:
    return [
        design.name, design.data, f"{design.accuracy:g}%", f"{design.luts:,}", design.encoder,
        design.latency, design.source,
    ]  # fmt: skip


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"
