"""The arena over time as rectangles: steps from left to right, bytes from top to bottom."""

from collections.abc import Mapping
from typing import Any

LEFT, TOP, RIGHT = 64, 26, 8  # pixels around the rectangles
TALL = 300
WIDEST, NARROWEST, ALL = 120, 14, 860  # pixels of a step's column, and of all together
LETTER = 6.6  # pixels of a letter at 11 pixels
COLOURS = 6


def chart(arena: Mapping[str, Any]) -> dict[str, Any]:
    """width, height, columns (x, label), ticks (y, bytes), blocks (x, y, width, height, label, colour)."""
    steps, size = arena["steps"], max(arena["bytes"], 1)
    column = max(min(ALL / max(len(steps), 1), WIDEST), NARROWEST)
    colours: dict[str, int] = {}
    blocks = []
    for block in arena["blocks"]:
        width = (block["last"] - block["first"] + 1) * column
        height = block["bytes"] / size * TALL
        scratch = block["layout"] == "scratch"
        colour = 0 if scratch else 1 + colours.setdefault(block["name"], len(colours)) % COLOURS
        blocks.append(
            {
                "x": round(LEFT + block["first"] * column, 1),
                "y": round(TOP + block["offset"] / size * TALL, 1),
                "width": round(width - 2, 1),
                "height": round(max(height - 1, 1), 1),
                "label": _fitting(block["name"], width - 10) if height >= 14 else "",
                "colour": colour,
                **block,
            }
        )
    columns = [
        {"x": round(LEFT + (k + 0.5) * column, 1), "label": _fitting(name, column - 4), "name": name}
        for k, name in enumerate(steps)
    ]
    ticks = [{"y": round(TOP + k / 4 * TALL, 1), "bytes": arena["bytes"] * k // 4} for k in range(5)]
    return {
        "width": round(LEFT + len(steps) * column + RIGHT),
        "height": TOP + TALL + 10,
        "left": LEFT,
        "columns": columns,
        "ticks": ticks,
        "blocks": blocks,
    }


def _fitting(name: str, width: float) -> str:
    """The name, its end where it is wider than `width`; "" where less than three letters have room."""
    most = int(width / LETTER)
    if len(name) <= most:
        return name
    return f"…{name[1 - most :]}" if most >= 3 else ""
