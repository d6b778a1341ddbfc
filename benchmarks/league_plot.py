"""The plot of the league table: accuracy on MNIST over LUTs, a panel for LUT6 and one for LUT4."""

from collections.abc import Iterable, Sequence
from math import ceil, log10
from typing import Any, NamedTuple

from benchmarks.league import Row
from benchmarks.published import designs
from edgeternary.templating import render

DATA = "MNIST"
TITLE = "MNIST: accuracy over LUTs"
PANELS = (("LUT6, yosys for Xilinx 7", "xc7", True), ("LUT4, yosys for ECP5", "ecp5", False))
LEFT, TOP, WIDTH, DEPTH, GAP = 56, 74, 600, 520, 60
LETTER, LINE = 5.4, 11  # pixels of a letter and of a line of a label
FLOOR = 93.0  # percent: what is below is left out
COLOURS = {"ours": "#1b6ca8", "rival": "#e07b39", "published": "#777"}


class Mark(NamedTuple):
    """A network: kind of COLOURS; stream: a frame can come in every clock."""

    kind: str
    name: str
    luts: int
    accuracy: float
    stream: bool

    @property
    def open(self) -> bool:
        return self.kind == "published"


def marks(rows: Sequence[Row], fabric: str, published: bool) -> list[Mark]:
    """The networks of a panel, accuracy in percent."""
    found = [
        Mark(row["group"], row["name"], row["counts"][fabric]["luts"], 100 * row["accuracy"],
             row["interval"] == 1)
        for row in rows if row["data"] == DATA and fabric in row["counts"]
    ]  # fmt: skip
    if published:
        found += [Mark("published", d.name, d.luts, d.accuracy, True) for d in designs() if d.data == DATA]
    return [mark for mark in found if mark.accuracy >= FLOOR]


def front(found: Iterable[Mark]) -> list[Mark]:
    """Those that none is both smaller than and as accurate as, by LUTs."""
    best: list[Mark] = []
    for mark in sorted(found, key=lambda mark: (mark.luts, -mark.accuracy)):
        if not best or mark.accuracy > best[-1].accuracy:
            best.append(mark)
    return best


def svg(rows: Sequence[Row]) -> str:
    """An SVG document. The line is the front of the filled marks that take a frame a clock."""
    panels = [marks(rows, fabric, published) for _, fabric, published in PANELS]
    everything = [mark for panel in panels for mark in panel]
    high = ceil(max((mark.accuracy for mark in everything), default=100.0) * 4 + 1) / 4
    drawn = []
    for number, ((title, _, _), found) in enumerate(zip(PANELS, panels, strict=True)):
        drawn.append({"title": title, "x": LEFT + number * (WIDTH + GAP), **_panel(found, high)})
    fields = {
        "title": TITLE, "left": LEFT, "top": TOP, "right": WIDTH, "depth": DEPTH, "panels": drawn,
        "width": LEFT + len(PANELS) * (WIDTH + GAP), "height": TOP + DEPTH + 48,
        "keys": [
            {"x": 260 * i, "colour": COLOURS[key[0]], "square": key[1], "open": key[2], "name": key[3]}
            for i, key in enumerate(_KEYS)
        ],
        "up": [{"y": _y(p, high), "text": f"{p:g}%"} for p in _steps(FLOOR, high)],
    }  # fmt: skip
    return render("report/league.svg.j2", fields).removesuffix("\n")


_KEYS = (  # of the plot: kind, square, open, words
    ("ours", False, False, "ours, a frame a clock"),
    ("ours", True, False, "ours, weights in block RAM"),
    ("rival", False, False, "other projects, counted here"),
    ("published", False, True, "published, vendor's tools"),
)


def _panel(found: Sequence[Mark], high: float) -> dict[str, Any]:
    sizes = [mark.luts for mark in found] or [100, 1000]
    low, span = min(sizes) / 1.4, log10(max(sizes) * 2 / min(sizes) * 1.4)

    def x(luts: float) -> float:
        return round(WIDTH * log10(luts / low) / span, 1)

    places = [(x(mark.luts), _y(mark.accuracy, high)) for mark in found]
    taken = [(across - 5, down - 5, across + 5, down + 5) for across, down in places]
    shown = []
    for mark in sorted(found, key=lambda mark: (mark.open, -mark.accuracy)):
        at = x(mark.luts), _y(mark.accuracy, high)
        shown.append({
            "x": at[0], "y": at[1], "colour": COLOURS[mark.kind], "open": mark.open,
            "square": not mark.stream, "name": f"{mark.name}: {mark.luts:,} LUTs, {mark.accuracy:.2f} %",
            **_label(mark.name, at, taken),
        })  # fmt: skip
    line = front(mark for mark in found if mark.stream and not mark.open)
    steps: list[str] = []
    for before, mark in zip([None, *line], line, strict=False):
        if before:
            steps.append(f"{x(mark.luts)},{_y(before.accuracy, high)}")
        steps.append(f"{x(mark.luts)},{_y(mark.accuracy, high)}")
    ticks = [(10**e * n, n == 1) for e in range(7) for n in (1, 2, 5)]
    return {
        "marks": shown, "front": " ".join(steps),
        "across": [
            {"x": x(luts), "text": _number(luts), "main": main}
            for luts, main in ticks if 0 <= x(luts) <= WIDTH
        ],
    }  # fmt: skip


def _label(
    name: str, at: tuple[float, float], taken: list[tuple[float, float, float, float]]
) -> dict[str, Any]:
    """Where a name goes: beside its mark, above or below, where nothing else is; it then is in `taken`."""
    size, (x, y) = LETTER * len(name), at
    best: tuple[float, dict[str, Any], tuple[float, float, float, float]] | None = None
    for number, (dx, dy) in enumerate((a, b) for b in (0, -11, 11, -22, 22, -33, 33) for a in (8, -8)):
        left = x + dx if dx > 0 else x + dx - size
        box = left, y + dy - LINE / 2, left + size, y + dy + LINE / 2
        cost = float(number + 1000 * (left < 0 or box[2] > WIDTH + GAP - 10 or box[1] < 0))
        cost += sum(_overlap(box, other) for other in taken)
        label = {"label": name, "lx": round(left, 1), "ly": round(y + dy + 3.5, 1)}
        if best is None or cost < best[0]:
            best = cost, label, box
    assert best
    taken.append(best[2])
    return best[1]


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Pixels that two boxes share."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)


def _y(accuracy: float, high: float) -> float:
    return round(DEPTH * (high - accuracy) / (high - FLOOR), 1)


def _steps(low: float, high: float) -> list[float]:
    return [low + i for i in range(int(high - low) + 1)]


def _number(luts: int) -> str:
    return f"{luts // 1000}k" if luts >= 1000 else str(luts)
