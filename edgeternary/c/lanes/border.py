"""Borders of lanes: which rows and columns a producer writes itself, and what fills the others.

A producer whose words hold the parts of the layout stores its rows in place. The rows above and below them,
the halo, are rows of other lanes, and the rest is pad.
"""

from dataclasses import dataclass

from edgeternary.c.layouts import Lanes, tall
from edgeternary.ir import Value

EDGE = 5  # cycles of writing a word of the border


@dataclass(frozen=True)
class Piece:
    """Lanes of row `source`, shifted left by `shift` bits, or right if negative; `keep` masks the result."""

    source: int
    shift: int
    keep: int


@dataclass(frozen=True)
class Fill:
    """Row `to` is made of pieces of other rows and of pads."""

    to: int
    pieces: tuple[Piece, ...]
    pads: int


@dataclass(frozen=True)
class Border:
    """fills  of rows;  left, right  words of columns of pad;  rows, row  number of rows and words of one."""

    fills: tuple[Fill, ...]
    left: int
    right: int
    rows: int
    row: int
    pad: int

    @property
    def words(self) -> int:
        """Words to write."""
        inner = self.row - self.left - self.right
        return sum(1 + len(fill.pieces) for fill in self.fills) * inner + self.rows * (self.left + self.right)


@dataclass(frozen=True)
class Run:
    """Rows first to end - 1 of words, of which only `lanes` show rows of the image."""

    first: int
    end: int
    lanes: tuple[int, ...]


def runs(layout: Lanes, value: Value) -> list[Run]:
    """Rows of words, those with the same lanes inside the image together."""
    found: list[Run] = []
    for r in range(layout.rows):
        lines = [r + start - layout.top for start in layout.starts]
        lanes = tuple(lane for lane, line in enumerate(lines) if 0 <= line < tall(value.shape)[0])
        if found and found[-1].lanes == lanes:
            found[-1] = Run(found[-1].first, r + 1, lanes)
        else:
            found.append(Run(r, r + 1, lanes))
    return found


def border(layout: Lanes, value: Value, rows: int, starts: tuple[int, ...]) -> Border | None:
    """For words of `rows` rows of the parts of `value` at `starts`; None where the layout has other parts."""
    _, width, channels = tall(value.shape)
    if starts != layout.starts or layout.rows < layout.top + rows:
        return None
    written = range(layout.top, layout.top + rows)
    last = tall(value.shape)[0] - max(starts) + layout.top  # from here on the last part is beyond the image
    fills = [_fill(layout, value, written, r) for r in range(layout.rows) if r not in written or r >= last]
    right = layout.width - layout.left - width
    pad = layout.pad_word(value)
    return Border(
        tuple(fills), layout.left * channels, right * channels, layout.rows, layout.width * channels, pad
    )


def _fill(layout: Lanes, value: Value, written: range, row: int) -> Fill:
    mask = (1 << layout.bits) - 1
    pieces: dict[tuple[int, int], int] = {}
    pads = 0
    for lane, start in enumerate(layout.starts):
        place = layout.bits * lane
        if not 0 <= start + row - layout.top < tall(value.shape)[0]:
            pads |= layout.pad_word(value) & mask << place
            continue
        source = next(
            (start + row - other, place - layout.bits * home)
            for home, other in enumerate(layout.starts)
            if start + row - other in written
        )
        pieces[source] = pieces.get(source, 0) | mask << place
    return Fill(row, tuple(Piece(*source, keep) for source, keep in pieces.items()), pads)
