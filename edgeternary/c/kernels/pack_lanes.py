"""Natural elements to lanes, borders included."""

from __future__ import annotations

from edgeternary.c import lanes_pack1
from edgeternary.c.cores import Core
from edgeternary.c.kernel import Body, Conversion, Cost, Match, Offer
from edgeternary.c.lanes_border import runs
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
        lift = -value.type.lo  # of what a lane holds, before the unit divides
        shown = []
        for run in runs(layout, value):
            ones = sum(1 << layout.bits * lane for lane in run.lanes)
            pads = layout.pad_word(value) & ~(ones * (2**layout.bits - 1)) & 0xFFFFFFFF
            add = (lift * ones + pads * lane_unit(value.type)) & 0xFFFFFFFF
            shown.append({"first": run.first, "end": run.end, "lanes": run.lanes, "add": add})
        fields = {
            "value": value, "layout": layout, "row": row, "line": LINE, "runs": shown,
            "unit": lane_unit(value.type), "at_once": next(n for n in (LINE, 3, 2, 1) if row % n == 0),
            "words": layout.width * channels, "left": layout.left * channels,
            "right": (layout.width - layout.left - width) * channels,
            "pad": layout.pad_word(value), "asm": [], "vectors": _vectors(value, match.core),
            "thumb1": lanes_pack1.row(value, layout) if _fast1(value, layout, match.core) else [],
        }  # fmt: skip
        if _vectors(value, match.core):
            fields["asm"] = _vector_assembly(value, layout)
        elif _fast(value, match.core):
            fields["asm"] = _assembly(value, layout)
        return Body(fields=fields)


def _fast(value: Value, core: Core) -> bool:
    """Whether a core with lane instructions packs four elements at once; it loads words from any address."""
    _, width, channels = tall(value.shape)
    return core.name in DSP_CORES and value.type.dtype.itemsize == 1 and width * channels >= SHORT


def _fast1(value: Value, layout: Lanes, core: Core) -> bool:
    """The same for a core with 16-bit instructions, from addresses that are multiples of 4."""
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
    """A row: bytes raised by -lo, then two by two lanes are put together, even and odd bytes apart."""
    lines = ["push {r4-r11, lr}"]
    rows = ("r4", "r5", "r6", "r7")[: layout.lanes]
    if layout.lanes == 4:
        lines += ["mov r3, r2", "mov r2, r1", "push {r3}", "ldmia r0, {r8-r11}", "mov r0, r8"]
        lines += ["mov r1, r9", "mov r12, r10", "mov lr, r11"]
    pointers = ("r0", "r1", "r12", "lr")
    if value.type.lo:
        lines.append(f"mov r8, #0x{-value.type.lo % 256 * 0x01010101:08x}")
    lines.append("1:")
    for row, pointer in zip(rows, pointers, strict=False):
        lines.append(f"ldr {row}, [{pointer}], #4")
        if value.type.lo:
            lines.append(f"{'shadd8' if lane_unit(value.type) == 2 else 'uadd8'} {row}, {row}, r8")
    if layout.lanes == 2:
        lines += ["uxtb16 r9, r4", "uxtb16 r10, r5", "uxtb16 r11, r4, ror #8", "uxtb16 r12, r5, ror #8"]
        lines += ["pkhbt r4, r9, r10, lsl #16", "pkhbt r5, r11, r12, lsl #16", "pkhtb r6, r10, r9, asr #16"]
        lines += ["pkhtb r7, r12, r11, asr #16", "stmia r2!, {r4-r7}", "subs r3, r3, #1"]
    else:
        for low, high in (("r4", "r5"), ("r6", "r7")):  # even bytes of both into low, odd ones into high
            lines += [f"uxtb16 r3, {low}", f"uxtb16 r9, {high}", f"uxtb16 {low}, {low}, ror #8"]
            lines += [
                f"uxtb16 {high}, {high}, ror #8",
                f"orr {high}, {low}, {high}, lsl #8",
                f"orr {low}, r3, r9, lsl #8",
            ]
        lines += ["pkhbt r3, r4, r6, lsl #16", "pkhtb r10, r6, r4, asr #16", "pkhbt r9, r5, r7, lsl #16"]
        lines += ["pkhtb r11, r7, r5, asr #16", "stmia r2!, {r3, r9-r11}"]
        lines += ["ldr r3, [sp]", "subs r3, r3, #1", "str r3, [sp]"]
    lines.append("bne 1b")
    return [*lines, *(["add sp, sp, #4"] if layout.lanes == 4 else []), "pop {r4-r11, pc}"]


KERNEL = PackLanes()
