"""The plot of docs/tiny.md: accuracy over cycles of one inference, a panel for the M4 and one for the M0+."""

from collections.abc import Iterator, Sequence
from math import floor, log10
from typing import Any, NamedTuple

from benchmarks.published.tiny import Accuracy, Net, ours, published
from benchmarks.tiny import OFFICIAL, Row
from edgeternary.templating import render
from edgeternary.train.interval import interval

TITLE = "MLPerf Tiny: accuracy over cycles"
PANELS = {"cortex-m4": "Cortex-M4", "cortex-m0plus": "Cortex-M0+"}
COLOURS = ("#1b6ca8", "#e07b39", "#4f9d69")
KINDS = {  # words: (square, open)
    "official int8, edgeternary (modelled)": (False, False),
    "official int8, CMSIS-NN (modelled)": (False, True),
    "official int8, silicon (published)": (True, True),
    "our networks (modelled)": (True, False),
}
LEFT, TOP, WIDTH, DEPTH, GAP = 56, 112, 400, 300, 60
LOW, HIGH = 1e5, 2e8  # cycles


class Mark(NamedTuple):
    """A network on a core: a kind of KINDS, and where it stands."""

    task: str
    kind: str
    name: str
    cycles: float
    accuracy: float
    samples: int


def marks(rows: Sequence[Row], core: str) -> Iterator[Mark]:
    """The official models with the first of their accuracies, and ours with one on the same data."""
    mapped, counted, silicon, own = KINDS
    firsts: dict[str, Accuracy] = {}
    for record in ours().accuracies:
        firsts.setdefault(record.task, record)
    nets: dict[str, Net] = {net.name: net for net in ours().nets}
    for row in rows:
        first, net = firsts.get(row["task"]), nets.get(row["name"])
        if first is None or row["core"] != core or not row["cycles"]:
            continue
        if row["kind"] == OFFICIAL:
            task = published().tasks[row["task"]]
            known = {mapped: row["cycles"]}
            if core in task.cmsis:
                known[counted] = task.cmsis[core][1] or 0
            if core in task.silicon:
                known[silicon] = round(1e6 * task.silicon[core])
            for kind, cycles in known.items():
                yield Mark(row["task"], kind, row["name"], cycles, first.accuracy, first.samples)
        elif net is not None and net.data == first.data and net.accuracy is not None:
            yield Mark(row["task"], own, row["name"], row["cycles"], net.accuracy, net.samples)


def svg(rows: Sequence[Row]) -> str:
    """An SVG document; the bar of a mark is its accuracy's interval of 95 %."""
    found = {core: list(marks(rows, core)) for core in PANELS}
    every = [mark for panel in found.values() for mark in panel]
    tasks = list(dict.fromkeys(mark.task for mark in every))
    low = floor(min([10 * _ends(mark)[0] for mark in every], default=5.0)) / 10

    def y(accuracy: float) -> float:
        return round(DEPTH * (1 - accuracy) / (1 - low), 1)

    panels = []
    for number, (core, title) in enumerate(PANELS.items()):
        drawn: list[dict[str, Any]] = []
        for mark in found[core]:
            square, open = KINDS[mark.kind]
            ends = _ends(mark)
            drawn.append({
                "x": _x(mark.cycles), "y": y(mark.accuracy), "y1": y(ends[1]), "y2": y(ends[0]),
                "colour": COLOURS[tasks.index(mark.task) % len(COLOURS)], "square": square, "open": open,
                "text": f"{mark.name}, {mark.kind}: {mark.cycles:,.0f} cycles, {mark.accuracy:.2%}",
            })  # fmt: skip
        across = [{"x": _x(10**e), "text": f"{10 ** (e - 6):g} M"} for e in (5, 6, 7, 8)]
        panels.append({"title": title, "x": LEFT + number * (WIDTH + GAP), "marks": drawn, "across": across})
    keys = [
        {"x": 20 + 250 * (i % 3), "y": 40 + 20 * (i // 3), "colour": colour, "square": square, "open": open,
         "text": text}
        for i, (text, colour, square, open) in enumerate([
            *((published().tasks[task].title, COLOURS[i % 3], False, False) for i, task in enumerate(tasks)),
            *((text, "#777777", square, open) for text, (square, open) in KINDS.items()),
        ])
    ]  # fmt: skip
    steps = [low + i / 20 for i in range(round((1 - low) * 20) + 1)]
    fields = {
        "title": TITLE, "panels": panels, "keys": keys, "top": TOP, "right": WIDTH, "depth": DEPTH,
        "width": LEFT + len(PANELS) * (WIDTH + GAP), "height": TOP + DEPTH + 48,
        "up": [{"y": y(step), "text": f"{step:.0%}"} for step in steps],
    }  # fmt: skip
    return render("report/tiny.svg.j2", fields).removesuffix("\n")


def _ends(mark: Mark) -> tuple[float, float]:
    return interval(mark.accuracy, mark.samples) if mark.samples else (mark.accuracy, mark.accuracy)


def _x(cycles: float) -> float:
    return round(WIDTH * log10(cycles / LOW) / log10(HIGH / LOW), 1)
