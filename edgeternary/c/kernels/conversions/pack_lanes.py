"""Natural elements to lanes, borders included."""

from collections.abc import Iterator, Sequence
from typing import Any

from edgeternary.c.assembly import note
from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.lanes import pack1 as lanes_pack1
from edgeternary.c.lanes import segments as lanes_segments
from edgeternary.c.lanes.pace import PACES
from edgeternary.c.lanes.segments import Rows, Segment
from edgeternary.c.layouts import NATURAL, Lanes, Layout, Natural, Stripes, Words, lane_unit
from edgeternary.cores import Core
from edgeternary.ir import Value

LINE = 4  # elements that a turn of the fast loop packs; what is left of a row follows one by one
SHORT = 2 * LINE  # a segment with fewer elements gains nothing
CALL = 35  # cycles of a call of the fast loop
PAD = 2  # cycles of a word of pad
TENTHS = 10
SLOW = (3, 2)  # tenths of Core.touch, of an element of every lane in C: once, and for each lane
VECTOR = (4, 2)  # instructions of four words in vector registers: once, and for each lane
DSP = (1, 1.5)  # cycles of a word of the fast loop with DSP instructions: once, and for each lane
THUMB1 = (1.5, 2.75, 3.5)  # likewise in Thumb-1: once, for each lane, for each where a lane is not aligned


class PackLanes(Conversion):
    name = "pack_lanes"
    code = 200

    def convert(self, value: Value, source: Layout, target: Layout, core: Core) -> Offer | None:
        if not (isinstance(source, Natural) and isinstance(target, Words)):
            return None
        if core.vectors and isinstance(target, Stripes):
            return None
        work = 0.0
        for rows in lanes_segments.rows(target, value):
            work += rows.turns * sum(_effort(segment, rows, value, target, core) for segment in rows.segments)
        return Offer((NATURAL,), target, Cost(core.figures(PACES).pack * work))

    def body(self, match: Match, offer: Offer) -> Body:
        value, layout, core = match.out, offer.out, match.core
        assert isinstance(layout, Words)
        shown = [_shown(rows, value, layout, core) for rows in lanes_segments.rows(layout, value)]
        begins = {k for rows in shown for segment in rows["segments"] for k in segment["offsets"]}
        fields = {
            "value": value, "layout": layout, "line": LINE, "groups": shown, "unit": lane_unit(value.type),
            "pad": layout.pad_word(value), "asm": [], "vectors": _vectors(value, core), "asm1": {},
            "upright": isinstance(layout, Lanes), "flat": isinstance(layout, Stripes) and layout.flat,
        }  # fmt: skip
        if _vectors(value, core):
            fields["asm"] = _vector_assembly(value, layout)
        elif core.dsp and value.type.dtype.itemsize == 1:
            fields["asm"] = _assembly(value, layout)
        elif core.thumb1:
            fields["asm1"] = {k: lanes_pack1.row(value, layout, k) for k in sorted(begins)}
        return Body(fields=fields)


def _whole(segment: Segment, layout: Words) -> bool:
    """Whether all lanes show the image, for long enough."""
    return len(segment.lanes) == layout.lanes and segment.elements >= SHORT


def _offsets(segment: Segment, rows: Rows) -> list[int]:
    """Bytes between a multiple of 4 and lane 0, in all rows."""
    return sorted({(rows.begins[0] + turn * rows.row + segment.at) % LINE for turn in range(rows.turns)})


def _effort(segment: Segment, rows: Rows, value: Value, layout: Words, core: Core) -> float:
    """Cycles of a segment of one row."""
    count = segment.elements
    if not segment.lanes:
        return PAD * count
    slow = (SLOW[0] + SLOW[1] * len(segment.lanes)) * core.touch / TENTHS
    if _vectors(value, core):
        return count * (VECTOR[0] + VECTOR[1] * len(segment.lanes)) / 4
    if not _whole(segment, layout) or value.type.dtype.itemsize != 1:
        return count * slow
    whole = count // LINE * LINE
    if core.dsp:
        return whole * (DSP[0] + DSP[1] * layout.lanes) + (count - whole) * slow + CALL
    if core.thumb1 and lanes_pack1.fits(value, layout):
        away = len(_offsets(segment, rows)) > 1 or any(d % LINE for d in lanes_segments.apart(layout, value))
        each = THUMB1[0] + THUMB1[1 + away] * layout.lanes
        return whole * each + (count - whole) * slow + 2 * CALL
    return count * slow


def _shown(rows: Rows, value: Value, layout: Words, core: Core) -> dict[str, Any]:
    """Rows as the template writes them.

    offsets  for routines of 16-bit instructions: bytes between a multiple of 4 and lane 0;  known  as bits
    """
    shown = []
    for segment in rows.segments:
        ones = sum(1 << layout.bits * lane for lane in segment.lanes)
        pads = layout.pad_word(value) & ~(ones * (2**layout.bits - 1)) & 0xFFFFFFFF
        lift = -value.type.lo  # of what a lane holds, before the unit divides
        whole = _whole(segment, layout)
        offsets = []
        if whole and core.thumb1 and lanes_pack1.fits(value, layout):
            offsets = _offsets(segment, rows)
        shown.append({
            "lanes": segment.lanes, "count": segment.elements, "whole": whole, "offsets": offsets,
            "add": (lift * ones + pads * lane_unit(value.type)) & 0xFFFFFFFF,
            "at_once": next(n for n in (LINE, 3, 2, 1) if segment.elements % n == 0),
            "known": sum(1 << k for k in offsets),
        })  # fmt: skip
    return {"segments": shown, "turns": rows.turns, "begins": rows.begins, "skips": rows.skips}


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
    lines.append(note("four elements of each lane, widened to words, side by side in those of lane 0"))
    lines += [f"vldrb.{sign}32 q{lane}, [{rows[lane]}], #4" for lane in range(layout.lanes)]
    lines += [f"vsli.32 q0, q{lane}, #{layout.bits * lane}" for lane in range(1, layout.lanes)]
    if value.type.lo:
        lines.append(f"vadd.i{layout.bits} q0, q0, {spare}")
    if lane_unit(value.type) == 2:
        lines.append(f"vshr.u{layout.bits} q0, q0, #1")
    return [*lines, f"vstrw.32 q0, [{to}], #16", "letp lr, 1b", "pop {r4-r7, pc}"]


def _assembly(value: Value, layout: Words) -> list[str]:
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
    if layout.lanes == 2:
        lines += ["orr r4, r0, r1", "lsls r4, r4, #30", "beq 3f"]
    lines.append(note("two turns a round: pairs of half words, then their even and odd bytes apart"))
    lines += ["adds r3, r3, #1", "lsrs r3, r3, #1", "bcc 2f", "1:", *turn, "2:", *turn]
    lines += ["subs r3, r3, #1", "bne 1b", "pop {r4-r11, pc}"]
    if layout.lanes == 2:
        lines.append(note("the same with loads of two words, from addresses that are multiples of 4"))
        lines += ["3:", "lsrs r3, r3, #1", "bcc 4f", *turn, "4:", "cmp r3, #0", "beq 6f"]
        lines += ["5:", *_two_turns_of_two(value), "subs r3, r3, #1", "bne 5b", "6:", "pop {r4-r11, pc}"]
    return lines


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


def _two_turns_of_two(value: Value) -> list[str]:
    """From addresses that are multiples of 4."""
    lines = ["ldmia r0!, {r4, r5}", "ldmia r1!, {r6, r7}"]
    if lane_unit(value.type) == 2:
        lines += [f"shadd8 r{row}, r{row}, r8" for row in range(4, 8)]
    lines += ["pkhbt r9, r4, r6, lsl #16", "pkhtb r10, r6, r4, asr #16"]
    lines += ["pkhbt r11, r5, r7, lsl #16", "pkhtb r12, r7, r5, asr #16"]
    to = ("r4", "r5", "r6", "r7", "r9", "r10", "r11", "r12")
    for number, word in enumerate(to):
        lines.append(_raised(value, word, ("r9", "r10", "r11", "r12")[number // 2], number % 2 == 1))
    return [*lines, "stmia r2!, {r4-r7, r9-r12}"]


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
