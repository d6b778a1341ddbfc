"""The graph as rows: a layer each, with lanes beside it on which values run from layer to layer.

A layer takes the lowest lane of an input that ends at it, else a free one. So a chain is a straight line, and
what runs around some layers, such as a residual branch, is a line of its own beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
PITCH, NARROW = 18, 6  # pixels from lane to lane, and where there are many
WIDE = 144  # pixels that lanes take at most, while PITCH goes down to NARROW
HEIGHT = 46  # of a row


def rows(names: Sequence[str], inputs: Mapping[str, Sequence[str]]) -> list[Row]:
    """For each node its lane, the lanes that end at it, those that pass it, and whether it goes on.

    names   of the nodes, in an order in which every input comes first
    inputs  names that a node reads
    """
    readers: dict[str, list[str]] = {name: [] for name in names}
    for name in names:
        for source in dict.fromkeys(inputs.get(name, ())):
            readers[source].append(name)
    lanes: list[str | None] = []
    found: list[Row] = []
    for name in names:
        before = list(lanes)
        arriving = [before.index(i) for i in dict.fromkeys(inputs.get(name, ())) if i in before]
        ended = [lane for lane in arriving if readers[str(before[lane])][-1] == name]
        for lane in ended:
            lanes[lane] = None
        lane = min(ended, default=next((k for k, used in enumerate(lanes) if used is None), len(lanes)))
        passing = [k for k, used in enumerate(before) if used is not None and k not in ended]
        if lane == len(lanes):
            lanes.append(None)
        lanes[lane] = name if readers[name] else None
        found.append(
            {"name": name, "lane": lane, "ins": arriving, "passing": passing, "on": bool(readers[name])}
        )
        while lanes and lanes[-1] is None:
            lanes.pop()
    return found


def drawing(found: Sequence[Row]) -> tuple[int, list[dict[str, Any]]]:
    """The width of the lanes in pixels, and for each row the lines (SVG paths) and its node's place."""
    most = 1 + max((max([row["lane"], *row["ins"], *row["passing"]]) for row in found), default=0)
    pitch = max(min(PITCH, WIDE // most), NARROW)
    middle = HEIGHT / 2

    def x(lane: int) -> float:
        return (lane + 0.5) * pitch

    drawn = []
    for row in found:
        at = x(row["lane"])
        lines = [f"M{x(lane):g} 0V{HEIGHT}" for lane in row["passing"]]
        for lane in row["ins"]:
            start = x(lane)
            lines.append(
                f"M{start:g} 0V{middle:g}" if start == at
                else f"M{start:g} 0C{start:g} {middle * 0.7:g} {at:g} {middle * 0.3:g} {at:g} {middle:g}"
            )  # fmt: skip
        if row["on"]:
            lines.append(f"M{at:g} {middle:g}V{HEIGHT}")
        drawn.append({"lines": lines, "x": at, "y": middle})
    return most * pitch, drawn
