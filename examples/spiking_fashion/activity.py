"""How the cycles of one step fall with the activity of the input: silent inputs are skipped.

    python examples/spiking_fashion/activity.py --svg activity.svg > activity.json

Random events of each density go through the compiled net on the emulated core; cycles are means over the
steps of one sample, from entry to return of <model>_run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import edgeternary
from edgeternary.errors import EdgeTernaryError, script
from edgeternary.ir import Graph

HERE = Path(__file__).parent
DENSITIES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def measure(graph: Graph, core: str, densities: tuple[float, ...], steps: int) -> list[dict[str, Any]]:
    """A row for each density: cycles a step, those of each layer, and the density that the neurons had."""
    rows = []
    layers = [op.name for op in graph.ops if op.kind == "dense"]
    spikes = [op.name for op in graph.ops if op.kind == "threshold"]
    for density in densities:
        draws = np.random.default_rng(0).random((1, steps, *graph.input.shape))
        events = (draws < density).astype(np.uint8)
        found = edgeternary.run.run(graph, events, on=core)
        expected = edgeternary.run.run(graph, events, taps=True)
        np.testing.assert_array_equal(found.outputs, expected.outputs)
        row = {"density": density, "cycles": found.stats["cycles"]}
        row |= {
            f"{layer['name']}_cycles": layer["cycles"] for layer in found.layers if layer["name"] in layers
        }
        row |= {f"{name}_density": round(float(expected.taps[name].mean()), 4) for name in spikes}
        rows.append(row)
    full = rows[-1]["cycles"]
    for row in rows:
        row["share"] = round(row["cycles"] / full, 4)
    return rows


def draw(rows: list[dict[str, Any]], title: str) -> str:
    """Cycles over density as an SVG."""
    width, height, left, low = 560, 320, 70, 270
    top = max(row["cycles"] for row in rows)

    def at(row: dict[str, Any]) -> tuple[float, float]:
        return left + 460 * row["density"], low - 220 * row["cycles"] / top

    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, rows))
    marks = "".join(
        f'<circle cx="{at(row)[0]:.1f}" cy="{at(row)[1]:.1f}" r="3" fill="#1b6ca8"><title>'
        f"{100 * row['density']:.0f} %: {row['cycles']:,.0f} cycles</title></circle>"
        for row in rows
    )
    columns = "".join(
        f'<text x="{left + 46 * k}" y="{low + 16}" text-anchor="middle">{10 * k} %</text>'
        for k in range(0, 11, 2)
    )
    levels = "".join(
        f'<line x1="{left}" x2="{left + 460}" y1="{low - 55 * k}" y2="{low - 55 * k}" stroke="#ddd"/>'
        f'<text x="{left - 6}" y="{low - 55 * k + 4}" text-anchor="end">{top * k / 4:,.0f}</text>'
        for k in range(5)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="{width}" height="{height}" fill="white"/><text x="{left}" y="24" '
        f'font-size="13">{title}</text>{levels}{columns}<text x="{left + 230}" y="{low + 34}" '
        f'text-anchor="middle">inputs with a spike</text><polyline points="{points}" fill="none" '
        f'stroke="#1b6ca8" stroke-width="2"/>{marks}</svg>\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=HERE / "spiking-mnist.et")
    parser.add_argument("--on", default="cortex-m4", help="an emulated core with a cycle model")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--points", type=int, help="any number: 10 %% and 100 %% alone")
    parser.add_argument("--svg", type=Path)
    args = parser.parse_args()
    graph = edgeternary.load(args.model)
    if graph.input.type.name != "binary":
        raise EdgeTernaryError(
            f"{graph.name} takes {graph.input.type} codes",
            "the curve is one of inputs that spike or not",
            "give a net of rate or latency coding",
        )
    densities = DENSITIES if args.points is None else (0.1, 1.0)
    rows = measure(graph, args.on, densities, args.steps)
    print(json.dumps({"model": graph.name, "core": args.on, "steps": args.steps, "rows": rows}, indent=2))
    if args.svg:
        args.svg.write_text(draw(rows, f"Cycles of a step of {graph.name} on {args.on}"), encoding="utf-8")
        print(f"curve drawn to {args.svg}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    script(main)
