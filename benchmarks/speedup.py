"""The picture of the README: how many times fewer instructions convolutions take than in CMSIS-NN int8."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from edgeternary.bench import int8
from edgeternary.bench.rows import Row
from edgeternary.templating import render

CORES = {"cortex-m4": "Cortex-M4", "cortex-m0plus": "Cortex-M0+", "cortex-m55": "Cortex-M55 (Helium)"}
MODES = ("ternary x ternary", "ternary x int8", "binary x int8", "int4 x int8", "int8 x int8")
LEFT, TOP, BAR, STEP, GAP, SCALE = 190, 74, 18, 24, 34, 16  # SCALE: pixels for a ratio of 1
WIDTH = LEFT + 36 * SCALE


def svg(rows: Sequence[Row]) -> str:
    """An SVG document of the medians of the ratios of the suite's convolutions, for light and dark pages."""
    layers = [name for name in int8.opponent().layers if not name.startswith("dense")]
    panels: list[dict[str, Any]] = []
    top = TOP
    for core, title in CORES.items():
        found = {
            mode: [
                row["ratio"]
                for row in rows
                if (row["core"], row["mode"]) == (core, mode) and row["layer"] in layers and row["ratio"]
            ]
            for mode in MODES
        }
        bars = [_bar(mode, median(found[mode]), number) for number, mode in enumerate(MODES) if found[mode]]
        panels.append({"title": title, "y": top, "bars": bars, "depth": STEP * len(bars)})
        top += STEP * len(bars) + GAP
    said = "; ".join(
        f"{panel['title']}: " + ", ".join(f"{bar['name']} {bar['text']}" for bar in panel["bars"])
        for panel in panels
    )
    fields = {
        "width": WIDTH, "height": top - GAP + 34, "left": LEFT, "height_of_bar": BAR, "panels": panels,
        "said": said,
        "one": LEFT + SCALE, "top": TOP - 24, "foot": top - GAP + 20,
    }  # fmt: skip
    return render("report/speedup.svg.j2", fields).removesuffix("\n")


def _bar(mode: str, ratio: float, number: int) -> dict[str, Any]:
    return {
        "name": mode, "y": STEP * number, "width": round(SCALE * ratio, 1), "text": f"{ratio:.1f}",
        "int8": mode == "int8 x int8",
    }  # fmt: skip
