"""How natural elements lie in rows of words: runs of words that show the image in the same lanes.

Rows of words with the same segments belong together. Rows that follow each other without pads, in memory as
in words, are one.
"""

from dataclasses import dataclass

from edgeternary.c.lanes.border import runs
from edgeternary.c.layouts import Lanes, Stripes, Words, tall
from edgeternary.ir import Value


@dataclass(frozen=True)
class Segment:
    """Elements of a row, words `lanes` of which show the image; the others are pad.

    at  elements of the row before it that lane 0 has shown
    """

    lanes: tuple[int, ...]
    elements: int
    at: int = 0


@dataclass(frozen=True)
class Rows:
    """Rows of words. Each lane that they show begins at element `begins`, and skips `skips` after each row.

    turns  rows;  row  elements of a row of the image, as these rows see it
    """

    segments: tuple[Segment, ...]
    turns: int
    row: int
    begins: dict[int, int]
    skips: dict[int, int]


def rows(layout: Words, value: Value) -> list[Rows]:
    """All rows of words, from the first to the last."""
    if isinstance(layout, Stripes):
        return _of_stripes(layout, value)
    assert isinstance(layout, Lanes)
    _, width, channels = tall(value.shape)
    row, right = width * channels, layout.width - layout.left - width
    found = []
    for run in runs(layout, value):
        begins = {lane: (run.first + layout.starts[lane] - layout.top) * row for lane in run.lanes}
        count = run.end - run.first
        together = count if layout.width == width else 1
        parts = [((), layout.left * channels), (run.lanes, together * row), ((), right * channels)]
        segments = tuple(Segment(lanes, elements) for lanes, elements in parts if elements)
        found.append(Rows(segments, count // together, together * row, begins, dict.fromkeys(run.lanes, 0)))
    return found


def _of_stripes(layout: Stripes, value: Value) -> list[Rows]:
    height, width, channels = layout.view(value)
    edge = Segment((), layout.width * channels)
    shown: list[Segment] = []
    for q in range(layout.width):
        lanes = tuple(k for k, start in enumerate(layout.starts) if 0 <= start + q - layout.left < width)
        if shown and shown[-1].lanes == lanes:
            shown[-1] = Segment(lanes, shown[-1].elements + channels, shown[-1].at)
        else:
            before = sum(segment.elements for segment in shown if 0 in segment.lanes)
            shown.append(Segment(lanes, channels, before))
    seen = {lane for segment in shown for lane in segment.lanes}  # a part may have pads alone
    begins = {lane: max(layout.starts[lane] - layout.left, 0) * channels for lane in sorted(seen)}
    skips = {
        lane: width * channels - sum(segment.elements for segment in shown if lane in segment.lanes)
        for lane in begins
    }
    above, below = layout.top, layout.rows - layout.top - height
    image = Rows(tuple(shown), height, width * channels, begins, skips)
    pads = [Rows((edge,), count, 0, {}, {}) for count in (above, below)]
    return [part for part in (pads[0], image, pads[1]) if part.turns]


def apart(layout: Words, value: Value) -> list[int]:
    """Elements from lane 0 to each lane where all show the image."""
    _, width, channels = tall(value.shape)
    step = channels if isinstance(layout, Stripes) else width * channels
    return [(start - layout.starts[0]) * step for start in layout.starts]
