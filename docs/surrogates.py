"""Writes the generated part of docs/surrogates.md, and docs/surrogates/NAME.svg, from the table in the code.

python docs/surrogates.py [FOLDER]      FOLDER is docs/ by default
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from edgeternary.nn.surrogates import SURROGATES, Surrogate

HERE = Path(__file__).parent
BEGIN, END = "<!-- begin: written by docs/surrogates.py -->\n", "<!-- end -->\n"
COLOURS = ["#1f6fb4", "#d2691e", "#2e8b57"]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360, 200, 34, 10, 12, 22
REACH = 2.0  # x from -REACH to REACH
HIGHEST = 5.0  # steeper slopes are cut off


def curve(y: torch.Tensor, low: float, high: float, style: str) -> str:
    """A polyline of y at even steps over the whole width."""
    x = torch.linspace(LEFT, WIDTH - RIGHT, len(y), dtype=torch.float64)
    down = HEIGHT - BOTTOM - (y.clamp(low, high) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), down.tolist(), strict=True))
    return f'<polyline fill="none" {style} points="{points}"/>'


def plot(entry: Surrogate) -> str:
    """SVG text: slopes drawn through, primitives dashed; an annealed entry at three moments of training."""
    x = torch.linspace(-REACH, REACH, 121, dtype=torch.float64)
    moments = [0.0, 0.5, 1.0] if entry.annealed else [0.0]
    slopes = [entry(x, p) for p in moments]
    primitives = [entry.primitive(x, p).clamp(-1.5, 1.5) for p in moments]
    every = torch.cat([*slopes, *primitives])
    low, high = min(float(every.min()), -0.1) - 0.1, min(float(every.max()), HIGHEST) + 0.1
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="11">',
        f"<title>{entry.name}: {entry.formula.replace('<', '&lt;').replace('>', '&gt;')}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for value in range(-1, int(high) + 1):
        if value > low:
            y = HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
            grey = "#999" if value == 0 else "#e4e4e4"
            lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{grey}"/>')
            lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    for value in range(-int(REACH), int(REACH) + 1):
        across = LEFT + (value + REACH) / (2 * REACH) * (WIDTH - LEFT - RIGHT)
        grey = "#999" if value == 0 else "#e4e4e4"
        lines.append(f'<path d="M{across:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{grey}"/>')
        lines.append(f'<text x="{across:.1f}" y="{HEIGHT - 7}" text-anchor="middle">{value}</text>')
    for i, (p, slope, primitive) in enumerate(zip(moments, slopes, primitives, strict=True)):
        stroke = f'stroke="{COLOURS[i]}"'
        lines.append(curve(primitive, low, high, f'{stroke} stroke-dasharray="4 3" stroke-opacity="0.7"'))
        lines.append(curve(slope, low, high, f'{stroke} stroke-width="2"'))
        if entry.annealed:
            lines.append(f'<text x="{LEFT + 6}" y="{TOP + 12 + 14 * i}" fill="{COLOURS[i]}">p = {p:g}</text>')
    return "\n".join([*lines, "</svg>", ""])


def section(entry: Surrogate) -> str:
    """One heading with formulas, source, use and plot."""
    rows = [
        ("slope", f"`{entry.formula}`"), (f"primitive ({entry.of})", f"`{entry.primitive_formula}`"),
        ("source", entry.source), ("use", entry.use),
    ]  # fmt: skip
    kind = ", annealed" if entry.annealed else ""
    table = "\n".join(f"| {a} | {b.replace('|', chr(92) + '|')} |" for a, b in rows)
    image = f"![{entry.name}](surrogates/{entry.name}.svg)"
    return f"### `{entry.name}`{kind}\n\n| | |\n|---|---|\n{table}\n\n{image}\n"


def main(folder: Path) -> None:
    """Rewrites what lies between the two marks of FOLDER/surrogates.md, and FOLDER/surrogates/*.svg."""
    page = folder / "surrogates.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    entries = "\n".join(section(entry) for entry in SURROGATES.values())
    page.write_text(f"{before}{BEGIN}\n{entries}\n{END}{after}")
    (folder / "surrogates").mkdir(exist_ok=True)
    for entry in SURROGATES.values():
        (folder / "surrogates" / f"{entry.name}.svg").write_text(plot(entry))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
