"""docs/growth.md and its plot from the rows of `make bench-growth`."""

from collections.abc import Sequence
from math import log2
from typing import Any

from benchmarks.growth import STAGES, Row
from edgeternary.templating import render

HEAD = """# How large a network may be

`make bench-growth BENCH_ARGS="--document docs/{name}.md"` generates this page, [its plot]({name}.svg) and
`{name}.json`. The networks are chains of ternary dense layers of {width} inputs and outputs with 2-bit
activations. Times are CPU seconds of the process and of the compiler ({compiler}) that it runs.

![CPU seconds of each stage over the number of weights]({name}.svg)

* *lower* makes the graph of the torch model and compares both. *plan* chooses kernels for this machine, and
  *render* writes the C. *numpy* and *host* run {samples} samples. *host build* plans and renders once more,
  and compiles the C.
* *memory* is the most that the process has had, PyTorch with it.
* *exponent*: seconds grow with this power of the number of weights from the last row but one to the last; 1
  is linear.

"""
COLOURS = ("#1b6ca8", "#e07b39", "#4f9d69", "#8e5ea2", "#c0392b", "#888888", "#b8860b", "#2c3e50")
LEAST = 0.01  # seconds, below which the clock says little
LEFT, TOP, WIDTH, DEPTH = 60, 50, 420, 260


def document(rows: Sequence[Row], name: str) -> str:
    """Markdown of all rows, and the exponents of the last two."""
    titles = ["weights", "layers", *(stage.replace("_", " ") for stage in STAGES), "memory", "mismatches"]
    lines = ["| " + " | ".join(titles) + " |", "|---:" * len(titles) + "|"]
    for row in rows:
        cells = [f"{row['weights']:,}", row["layers"], *(f"{row[stage]:.2f} s" for stage in STAGES)]
        cells += [f"{row['memory_bytes'] / 1e6:,.0f} MB", row["mismatches"]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    if len(rows) > 1:
        cells = ["exponent", "", *(_exponent(rows, stage) for stage in STAGES), "", ""]
        lines.append("| " + " | ".join(cells) + " |")
    head = HEAD.format(
        name=name, width=rows[0]["width"], samples=rows[0]["samples"], compiler=rows[0]["compiler"]
    )
    return head + "\n".join(lines) + "\n"


def exponent(rows: Sequence[Row], stage: str) -> float:
    """e in seconds ~ weights ** e, between the last two rows."""
    before, after = rows[-2], rows[-1]
    return log2(after[stage] / before[stage]) / log2(after["weights"] / before["weights"])


def _exponent(rows: Sequence[Row], stage: str) -> str:
    return f"{exponent(rows, stage):.2f}" if rows[-2][stage] >= LEAST else ""


def svg(rows: Sequence[Row]) -> str:
    """CPU seconds of each stage over the number of weights, both on logarithmic axes."""
    weights = [row["weights"] for row in rows]
    seconds = [max(row[stage], LEAST) for row in rows for stage in STAGES]
    across = _Axis(min(weights), max(weights), WIDTH)
    up = _Axis(LEAST, max(seconds), DEPTH)
    lines: list[dict[str, Any]] = []
    for number, stage in enumerate(STAGES):
        points = [f"{across.at(row['weights'])},{DEPTH - up.at(max(row[stage], LEAST))}" for row in rows]
        lines.append(
            {
                "name": stage.replace("_", " "), "colour": COLOURS[number], "points": " ".join(points),
                "y": 14 * number,
            }
        )  # fmt: skip
    fields = {
        "title": "CPU seconds of each stage over the number of ternary weights", "lines": lines,
        "width": LEFT + WIDTH + 120, "height": TOP + DEPTH + 40, "left": LEFT, "top": TOP, "depth": DEPTH,
        "right": WIDTH, "across": [{"at": across.at(n), "text": f"{n / 1e6:.2g} M"} for n in weights],
        "up": [{"at": DEPTH - up.at(s), "text": f"{s:g} s"} for s in _decades(LEAST, max(seconds))],
    }  # fmt: skip
    return render("report/growth.svg.j2", fields).removesuffix("\n")


class _Axis:
    """A logarithmic axis of `length` pixels from low to high."""

    def __init__(self, low: float, high: float, length: int) -> None:
        self.low, self.length = low, length
        self.span = log2(high / low) or 1.0

    def at(self, number: float) -> float:
        return round(self.length * log2(number / self.low) / self.span, 1)


def _decades(low: float, high: float) -> list[float]:
    found = [low]
    while found[-1] * 10 <= high:
        found.append(round(found[-1] * 10, 6))
    return found
