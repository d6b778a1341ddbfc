"""lut on slices: each table is a few logic operations, which give 32 pixels at once.

The words of the taps of a row are gathered once, shifted by their horizontal distance, and serve all tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgeternary.c import logic
from edgeternary.c.as_tables import as_lut
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.slices import layout as slicing
from edgeternary.c.slices.layout import Slices
from edgeternary.ir import Value
from edgeternary.ops import Lut

MOST_OPERATIONS = 12_000  # written out
OPERATION_BYTES = {True: 2.6, False: 3.2}  # of code, by Thumb-1
TABLE_BYTES, TAP_BYTES = 24, 10  # of code, besides
# Cycles of an operation, of a table, of a tap that is gathered, of a row, and to keep every second bit
COSTS = {
    "host": (0.5, 5.0, 3.0, 10.0, 8.0), "cortex-m0plus": (1.6, 16.0, 9.0, 60.0, 20.0),
    "cortex-m3": (1.0, 9.8, 5.4, 35.0, 11.0), "cortex-m7": (0.5, 4.2, 2.8, 20.0, 6.0),
    "cortex-m33": (0.9, 7.5, 4.5, 30.0, 10.0), "cortex-m55": (0.87, 7.1, 4.7, 30.0, 10.0),
}  # fmt: skip


class LutSlices(Kernel):
    """Padding reads words of zeros: slices hold nothing but zeros beside their pixels. Where windows are two
    pixels apart, every second bit is kept."""

    name = "lut_slices"
    code = 120
    patterns = (("lut",), ("conv2d", "threshold"))

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x, out = as_lut(match), match.ins[0], match.out
        if op is None or len(x.shape) != 3 or op.stride not in ((1, 1), (2, 2)):
            return
        layouts = self._layouts(match, op, x)
        made = Made.of(op, x.channels) if layouts else None
        if made is None or made.operations > MOST_OPERATIONS:
            return
        operation, table, tap, row, halve = match.core.figures(COSTS)
        cycles = made.operations * operation + len(made.tables) * (table + halve * (op.stride[0] - 1)) + row
        code = int(made.operations * OPERATION_BYTES[match.core.thumb1]) + TABLE_BYTES * len(made.tables)
        taps = len(made.taps) if op.windowed else 0
        code += TAP_BYTES * taps
        for layout in layouts:
            rows = layout.split // op.stride[0]
            cost = Cost(rows * (cycles + taps * tap), code, fetched=rows * code)
            yield Offer((layout,), _after(layout, op, out), cost, scratch=4 * taps)

    def _layouts(self, match: Match, op: Lut, x: Value) -> list[Slices]:
        """What the window needs; how its input has arrived; how the result is wanted."""
        there = [*(match.arriving[0] if match.arriving else ()), *match.wanted]
        own = _required(op, x, match.out) if op.windowed else slicing.pointwise(x)
        found = [own, *(layout for layout in there if isinstance(layout, Slices))]
        return [layout for layout in dict.fromkeys(found) if layout and _serves(layout, op, x, match.out)]

    def body(self, match: Match, offer: Offer) -> Body:
        op, x, out = as_lut(match), match.ins[0], match.out
        assert op is not None
        layout, after = offer.ins[0], offer.out
        assert isinstance(layout, Slices) and isinstance(after, Slices)
        made, windowed = Made.of(op, x.channels), op.windowed
        fields: dict[str, object] = {
            "made": made, "windowed": windowed, "layout": layout, "channels": x.channels,
            "distances": sorted({tap.dy for tap in made.taps}), "outputs": len(made.tables),
            "step": op.stride[0], "halve": layout.stride.bit_length() - 2, "rows": after.split,
            "masks": after.masks(out.size // out.channels),
        }  # fmt: skip
        return Body((), fields)


@dataclass(frozen=True)
class Tap:
    """A channel of a pixel at a distance."""

    dy: int
    dx: int
    channel: int


@dataclass(frozen=True)
class Made:
    """Tables as logic.

    taps    what they read
    inputs  for each table (name of a bit, index of its tap)
    """

    taps: tuple[Tap, ...]
    tables: tuple[logic.Logic, ...]
    inputs: tuple[tuple[tuple[str, int], ...], ...]

    @property
    def operations(self) -> int:
        return sum(table.operations for table in self.tables)

    @classmethod
    def of(cls, op: Lut, channels: int) -> Made:
        wiring, tables = op.all_pins()
        made = logic.logic(tables > 0)
        reads = [[(k, row[k]) for k in table.bits] for row, table in zip(wiring.tolist(), made, strict=True)]
        used = sorted({place for row in reads for _, place in row})
        taps = []
        for place in used:
            ky, rest = divmod(place, op.kernel[1] * channels)
            kx, channel = divmod(rest, channels)
            taps.append(Tap(ky - op.pad[0], kx - op.pad[1], channel))
        index = {place: i for i, place in enumerate(used)}
        inputs = tuple(tuple((logic.NAMES[k], index[place]) for k, place in row) for row in reads)
        return cls(tuple(taps), tuple(made), inputs)


def _required(op: Lut, x: Value, out: Value) -> Slices | None:
    """The layout that a window requires; None where a row with its pads is wider than a word."""
    width = max(x.shape[1] + max(op.pad[1], op.pad[3]), out.shape[1])
    stride = next((size for size in (1, 2, 4, 8, 16, 32) if size >= width), 0)
    lines = max(x.shape[0], op.stride[0] * out.shape[0])
    split = max(-(-lines * stride // slicing.WORD), *_distances(op))
    return Slices(x.shape[1], stride, split + split % op.stride[0]) if stride else None


def _serves(layout: Slices, op: Lut, x: Value, out: Value) -> bool:
    """Whether a window finds its taps in a layout, and the result has room in it."""
    if not op.windowed:
        return True
    return (
        layout.width == x.shape[1]
        and layout.stride >= max(layout.width + max(op.pad[1], op.pad[3]), out.shape[1])
        and layout.split >= max(_distances(op))
        and layout.split % op.stride[0] == 0
        and layout.split * layout.parts >= max(x.shape[0], op.stride[0] * out.shape[0])
    )


def _distances(op: Lut) -> tuple[int, int]:
    """Of rows above and below that a window reads."""
    return op.pad[0], op.kernel[0] - 1 - op.pad[0]


def _after(layout: Slices, op: Lut, out: Value) -> Slices:
    return Slices(out.shape[1], layout.stride, layout.split // op.stride[0]) if op.windowed else layout
