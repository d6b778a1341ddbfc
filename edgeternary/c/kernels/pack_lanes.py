"""Natural elements to lanes, borders included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgeternary.c import lanes_pack1
from edgeternary.c.cores import Core
from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.lanes_border import Run, runs
from edgeternary.c.lanes_conv import DSP_CORES, THUMB1_CORES
from edgeternary.c.layouts import NATURAL, Lanes, Layout, Natural, lane_unit, tall
from edgeternary.ir import Value

LINE = 4  # elements that a turn of the fast loop packs; what is left of a row follows one by one
SHORT = 2 * LINE  # a row with fewer elements gains nothing


class PackLanes(Conversion):
    name = "pack_lanes"

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Natural) and isinstance(target, Lanes)):
            return None
        _, width, channels = tall(value.shape)
        edges = target.rows * (target.width - width) * channels
        slow = (3 + 2 * target.lanes) * core.touch / 10
        row = width * channels
        turned = row // LINE * LINE if _fast(value, core) else 0  # elements of a row
        work = turned * (1 + 1.5 * target.lanes) + (row - turned) * slow
        if _vectors(value, core):
            work = row * (4 + 2 * target.lanes) / 4
        elif _fast1(value, target, core):
            work = row * (6.0 + 2 * target.lanes)
        return Offer((NATURAL,), target, Cost(target.rows * work + 2 * edges))

    def body(self, match: Match, offer: Offer) -> Body:
        value, layout = match.out, offer.out
        assert isinstance(layout, Lanes)
        _, width, channels = tall(value.shape)
        row = width * channels
        shown = [_shown(run, value, layout) for run in runs(layout, value)]
        begins = {k for run in shown for k in run["begins"]} if _fast1(value, layout, match.core) else set()
        fields = {
            "value": value, "layout": layout, "row": row, "line": LINE, "runs": shown,
            "unit": lane_unit(value.type),
            "words": layout.width * channels, "left": layout.left * channels,
            "right": (layout.width - layout.left - width) * channels,
            "pad": layout.pad_word(value), "asm": [], "vectors": _vectors(value, match.core),
            "thumb1": {k: lanes_pack1.row(value, layout, k) for k in sorted(begins)},
        }  # fmt: skip
        if _vectors(value, match.core):
            fields["asm"] = _vector_assembly(value, layout)
        elif _fast(value, match.core):
            fields["asm"] = _assembly(value, layout)
        return Body(fields=fields)


def _shown(run: Run, value: Value, layout: Lanes) -> dict[str, Any]:
    """A run as the template writes it; rows that follow each other without pads are one row.

    begins  bytes between a multiple of 4 and lane 0 at the rows that all lanes show;  known  as a set of bits
    """
    _, width, channels = tall(value.shape)
    ones = sum(1 << layout.bits * lane for lane in run.lanes)
    pads = layout.pad_word(value) & ~(ones * (2**layout.bits - 1)) & 0xFFFFFFFF
    lift = -value.type.lo  # of what a lane holds, before the unit divides
    add = (lift * ones + pads * lane_unit(value.type)) & 0xFFFFFFFF
    rows = run.end - run.first if layout.width == width else 1
    row = rows * width * channels
    lines = range(run.first - layout.top, run.end - layout.top, rows)
    whole = len(run.lanes) == layout.lanes
    begins = sorted({line * width * channels % LINE for line in lines}) if whole else []
    return {
        "lanes": run.lanes, "add": add, "first": run.first, "rows": rows, "turns": len(lines), "row": row,
        "at_once": next(n for n in (LINE, 3, 2, 1) if row % n == 0),
        "begins": begins, "known": sum(1 << k for k in begins),
    }  # fmt: skip


def _fast(value: Value, core: Core) -> bool:
    """Whether a core with lane instructions packs four elements at once; it loads words from any address."""
    _, width, channels = tall(value.shape)
    return core.name in DSP_CORES and value.type.dtype.itemsize == 1 and width * channels >= SHORT


def _fast1(value: Value, layout: Lanes, core: Core) -> bool:
    """The same for a core with 16-bit instructions, which loads words from multiples of 4."""
    return core.name in THUMB1_CORES and lanes_pack1.fits(value, layout)


def _vectors(value: Value, core: Core) -> bool:
    return core.vectors and value.type.dtype.itemsize == 1


def _vector_assembly(value: Value, layout: Layout) -> list[str]:
    """A row, four words at a time: bytes of each lane widened to words, inserted into those of the first."""
    assert isinstance(layout, Lanes)
    rows, to, count, spare = ("r0", "r1", "r4", "r5"), "r2", "r3", "r6"
    lines = ["push {r4-r7, lr}"]
    if layout.lanes == 4:
        rows, to, count, spare = ("r4", "r5", "r6", "r7"), "r1", "r2", "r3"
        lines.append("ldmia r0, {r4-r7}")
    lines += [f"mov {spare}, #{-value.type.lo}", f"dlstp.32 lr, {count}", "1:"]
    sign = "s" if value.type.signed else "u"
    lines += [f"vldrb.{sign}32 q{lane}, [{rows[lane]}], #4" for lane in range(layout.lanes)]
    lines += [f"vsli.32 q0, q{lane}, #{layout.bits * lane}" for lane in range(1, layout.lanes)]
    if value.type.lo:
        lines.append(f"vadd.i{layout.bits} q0, q0, {spare}")
    if lane_unit(value.type) == 2:
        lines.append(f"vshr.u{layout.bits} q0, q0, #1")
    return [*lines, f"vstrw.32 q0, [{to}], #16", "letp lr, 1b", "pop {r4-r7, pc}"]


def _assembly(value: Value, layout: Lanes) -> list[str]:
    """A row, two turns a round: pairs of half words, then their even and odd bytes apart, raised by -lo.

    Where the number of turns is odd, the first round begins in its middle.
    """
    lines = ["push {r4-r11, lr}"]
    if layout.lanes == 4:
        lines += ["mov r3, r2", "mov r2, r1", "ldmia r0, {r8-r11}", "mov r0, r8"]
        lines += ["mov r1, r9", "mov r12, r10", "mov lr, r11"]
    if value.type.lo:
        times = 0x01010101 if lane_unit(value.type) == 2 else 0x00010001
        lines.append(f"mov r8, #0x{-value.type.lo % 256 * times:08x}")
    turn = _turn_of_two(value) if layout.lanes == 2 else _turn_of_four(value)
    lines += ["adds r3, r3, #1", "lsrs r3, r3, #1", "bcc 2f", "1:", *turn, "2:", *turn]
    return [*lines, "subs r3, r3, #1", "bne 1b", "pop {r4-r11, pc}"]


def _loads(value: Value, rows: Sequence[str], pointers: Sequence[str]) -> Iterator[str]:
    for row, pointer in zip(rows, pointers, strict=True):
        yield f"ldr {row}, [{pointer}], #4"
        if lane_unit(value.type) == 2:
            yield f"shadd8 {row}, {row}, r8"


def _raised(value: Value, to: str, source: str, odd: bool) -> str:
    """Even or odd bytes of a word as half words, minus lo."""
    turned = ", ror #8" if odd else ""
    if value.type.lo == 0 or lane_unit(value.type) == 2:
        return f"uxtb16 {to}, {source}{turned}"
    return f"sxtab16 {to}, r8, {source}{turned}"


def _turn_of_two(value: Value) -> list[str]:
    lines = [*_loads(value, ("r4", "r5"), ("r0", "r1"))]
    lines += ["pkhbt r9, r4, r5, lsl #16", "pkhtb r10, r5, r4, asr #16"]
    lines += [_raised(value, f"r{4 + i}", ("r9", "r10")[i // 2], odd=i % 2 == 1) for i in range(4)]
    return [*lines, "stmia r2!, {r4-r7}"]


def _turn_of_four(value: Value) -> list[str]:
    """Lanes 0 and 2 in r9 and r4, 1 and 3 in r10 and r5, two elements of each."""
    lines = [*_loads(value, ("r4", "r5", "r6", "r7"), ("r0", "r1", "r12", "lr"))]
    lines += ["pkhbt r9, r4, r6, lsl #16", "pkhtb r4, r6, r4, asr #16"]
    lines += ["pkhbt r10, r5, r7, lsl #16", "pkhtb r5, r7, r5, asr #16"]
    words = [
        ("r6", "r7", "r9", "r10"),
        ("r7", "r9", "r9", "r10"),
        ("r9", "r10", "r4", "r5"),
        ("r10", "r4", "r4", "r5"),
    ]
    for number, (word, spare, even, odd) in enumerate(words):
        lines += [_raised(value, word, even, number % 2 == 1), _raised(value, spare, odd, number % 2 == 1)]
        lines.append(f"orr {word}, {word}, {spare}, lsl #8")
    return [*lines, "stmia r2!, {r6, r7, r9, r10}"]


KERNEL = PackLanes()
