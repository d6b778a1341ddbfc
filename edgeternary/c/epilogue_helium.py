"""The epilogue of integer sums in vector registers: four sums at a time are rescaled, clamped and stored.

r0, r1   sums and results            q0       sums
r2-r5    tables, as they are needed  q1       an element of a table for each sum, or the signs
r6, r12  constants                   q2, q3   lowest and highest code
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeternary.c import epilogue
from edgeternary.c.assembly import note, size
from edgeternary.c.epilogue import Epilogue
from edgeternary.c.kernel import Match
from edgeternary.c.lanes.text2 import constant
from edgeternary.c.layouts import Layout
from edgeternary.c.rescale import forms as rescale
from edgeternary.c.tables import Table
from edgeternary.ops import Requantize
from edgeternary.passes.affine import Affine

NAMES = ("offset", "start", "m", "b", "s", "right")
FORMS = ("A", "B", "doubled", "twice")
POINTERS = ("r2", "r3", "r4", "r5")
CALL, FOUR = 40.0, 15.0  # cycles of a call, and of four sums, roughly
STEP = 3  # instructions of four sums beside those of `_steps`
PACE, DOUBLED = 1.35, 1.15  # cycles of an instruction on average; in the form `doubled`
SAVED = 20  # bytes that are pushed before the arguments on the stack
PRODUCTS = {"doubled": "vqdmulh.s32", "twice": "vqrdmulh.s32"}
STORES = {
    "int8_t": "vstrb.32 q0, [r1], #4",
    "int16_t": "vstrh.32 q0, [r1], #8",
    "int32_t": "vstrw.32 q0, [r1], #16",
}


def of(match: Match, layout: Layout, affine: Affine, negate: NDArray[np.bool_]) -> Epilogue:
    """The epilogue of a match, in a form that `finish` knows where there is one; see `epilogue.build`."""
    if isinstance(match.follow, Requantize) and affine.gain == 1:
        acc, out = match.outs[0], match.out
        found = rescale.vectored(match.follow, acc, out, match.core, affine.offset)
        if found is not None:
            return epilogue.rescaled(found, affine)
    return epilogue.of(match, layout, affine, negate)


def fields(after: Epilogue, outputs: int) -> tuple[Mapping[str, object], dict[str, object] | None]:
    """Those of the epilogue in C, which then clamps without a routine, and those of the routine or None."""
    found = finish(after.fields, after.tables, outputs)
    return ({**after.fields, "saturates": False} if found else after.fields), found


def finish(fields: Mapping[str, object], tables: Sequence[Table], outputs: int) -> dict[str, object] | None:
    """What a template needs of the routine, or None for an epilogue that it does not know.

    fields, tables  of an epilogue whose gain is 1
    tables          {name: C type} of the arguments after sums and y;  asm: instructions, one a line
    cycles          of a call, roughly
    """
    ctype = str(fields["ctype"]).removeprefix("u")
    known = fields["kind"] == "store" or (fields["kind"] == "requantize" and fields["form"] in FORMS)
    if not known or fields["planes"] or ctype not in STORES:
        return None
    used = {table.name: table for table in tables if table.name in NAMES}
    lines = [note("tables and constants of the loop"), "push {r4-r7, lr}"]
    lines += [f"ldr {POINTERS[i]}, [sp, #{SAVED + 4 * (i - 2)}]" for i in range(2, len(used))]
    loads = {name: _load(table, POINTERS[i]) for i, (name, table) in enumerate(used.items())}
    before, inside = _steps(fields, loads)
    pace = DOUBLED if fields.get("form") == "doubled" else PACE
    lines += [*before, note("four sums at a time: rescaled, clamped and stored"), *constant("lr", outputs)]
    lines += ["dlstp.32 lr, lr", "1:", "vldrw.u32 q0, [r0], #16"]
    lines += [*inside, STORES[ctype], "letp lr, 1b", "pop {r4-r7, pc}"]
    return {
        "tables": {name: table.ctype for name, table in used.items()},
        "asm": lines,
        "outputs": outputs,
        "cycles": CALL + pace * (size(inside) + STEP) * -(-outputs // 4),
        "tags": {name: name for name in used},
    }


def cycles(outputs: int) -> float:
    """Of one call, roughly."""
    return CALL + FOUR * -(-outputs // 4)


def _load(table: Table, pointer: str) -> str:
    width, sign = (
        table.data.itemsize,
        "u" if table.data.dtype.kind == "u" or table.data.itemsize == 4 else "s",
    )
    return f"vldr{'bhw'[width // 2]}.{sign}32 q1, [{pointer}], #{4 * width}"


def _steps(fields: Mapping[str, object], loads: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Instructions before the loop and in it."""
    before: list[str] = []
    inside: list[str] = []

    def by_table(name: str, *lines: str) -> bool:
        if name in loads:
            inside.extend([loads[name], *lines])
        return name in loads

    by_table("offset", "vadd.i32 q0, q0, q1")
    if fields["kind"] == "store":
        return before, inside
    product = PRODUCTS.get(str(fields["form"]), "vmul.i32")
    if fields["form"] == "doubled":
        inside += [f"vqshl.s32 q0, q0, #{fields['left']}"] if fields["left"] else []
        by_table("start", "vqadd.s32 q0, q0, q1")
    if not by_table("m", f"{product} q0, q0, q1") and fields["m"] != 1:
        before += constant("r12", _number(fields, "m"))
        inside.append(f"{product} q0, q0, r12")
    if fields["form"] == "doubled":
        inside += [f"vshr.s32 q0, q0, #{fields['shift']}"] if fields["shift"] else []
    elif fields["form"] == "twice":
        inside += ["vshr.s32 q1, q0, #31", "vadd.i32 q0, q0, q1"]
        if not by_table("right", "vneg.s32 q1, q1", "vrshl.s32 q0, q0, q1"):
            inside.append(f"vrshr.s32 q0, q0, #{fields['right']}")
    else:
        if not by_table("b", "vadd.i32 q0, q0, q1") and fields["b"]:
            before += constant("r6", _number(fields, "b"))
            inside.append("vadd.i32 q0, q0, r6")
        if not by_table("s", "vneg.s32 q1, q1", "vshl.s32 q0, q0, q1") and fields["s"]:
            inside.append(f"vshr.s32 q0, q0, #{fields['s']}")
    if fields["zero"]:
        before += constant("r7", _number(fields, "zero"))
        inside.append("vadd.i32 q0, q0, r7")
    for name, register, clamp in (("lo", "q2", "vmax"), ("hi", "q3", "vmin")):
        before += [*constant("lr", _number(fields, name)), f"vdup.32 {register}, lr"]
        inside.append(f"{clamp}.s32 q0, q0, {register}")
    return before, inside


def _number(fields: Mapping[str, object], name: str) -> int:
    found = fields[name]
    assert isinstance(found, int)
    return found % 2**32
