"""Group programs in vector registers (Helium): the same function as in `lanes/c99`, four words at a time.

The four words belong to neighbouring outputs, wherever their pixels lie in memory: loads gather, stores
scatter. The last four outputs of a row overlap those before; of fewer than four the last one is there again.
See `text_helium` for the registers.
"""

from collections.abc import Iterator, Sequence

from edgeternary.c.assembly import note
from edgeternary.c.lanes import multiples, stages
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.butterfly import butterflies, parted
from edgeternary.c.lanes.pace import Pace
from edgeternary.c.lanes.program import Group, Load, Registers
from edgeternary.c.lanes.text2 import constant
from edgeternary.c.lanes.text_helium import EVEN, FRAME, ODD, SAVED, WIDTH, X, Y, addresses, close, moved
from edgeternary.c.lanes.walk import Walk

REGISTERS = (Registers(accumulators=6, words=1),)
STORE = {
    0: 1,
    2: 3.5,
    4: 6.5,
}  # instructions of storing an output: as words, as the bytes of two or four lanes
MOVE = 0.25  # instructions of moving q7, for each gap between words, most of which an offset reaches
PART, START, TURN = 4, 1.5, 10  # instructions of a part, of starting an output in it, of a turn of the loop
STAGE, BUTTERFLY = 1, 2.5  # instructions of an output between two stages, and of two outputs that share sums
PAIR, SINGLE = 1020, 4095  # largest offsets of LDRD and LDR
REACH = 508  # of the immediate offset of a gathered load, in bytes, in both directions


def function(group: Group, after: After, walk: Walk) -> list[str]:
    """Instructions, one a line."""
    accs = [f"q{1 + i}" for i in range(group.size)]
    lines = [note("distances of four neighbouring outputs, in words of x and of y, go to the stack")]
    frame = FRAME + SAVED * group.size * after.kept(group)
    registers = multiples.constants(group)
    saved = "r4-r11" if registers else "r4-r6"
    lines += [f"push {{{saved}, lr}}", "vpush {d8-d15}", f"sub sp, sp, #{frame}", *_offsets(walk)]
    for weight, register in registers.items():
        lines += constant(register, weight % 2**32)
    lines.append("1:")
    lines += [*constant("r4", walk.outputs), "2:"]
    for number, part in enumerate(group.parts):
        lines += [note(group.says(number))]
        less = butterflies(part, group.size)
        if less:
            lines += [note("sums and differences of two outputs")]
            lines += [f"vmov.i32 {acc}, #0" for acc in accs]
        elif not (number and group.cuts):
            lines += _starts(number, accs, walk.bits)
        lines += [*addresses("r0", X), *_additions(less or part, registers, accs, walk.bits)]
        if less:
            lines += [*parted(accs, walk.bits), *_starts(number, accs, walk.bits, add=True)]
        if group.cuts and number < len(group.cuts):
            place = stages.place(group, after, walk, number + 1)
            lines += stages.helium(group.cuts[number], place, accs, walk)
            continue
        lines += [note(after.says(number == len(group.parts) - 1))]
        lines += after.helium(group, number, walk, accs)
    lines.append(note("on to the next four outputs, and to the next row"))
    return [*lines, *_onwards(walk), f"add sp, sp, #{frame}", "vpop {d8-d15}", f"pop {{{saved}, pc}}"]


def turns(outputs: int) -> int:
    """Of a row."""
    return -(-outputs // WIDTH)


def effort(group: Group, after: After, parts_of_bytes: int, pace: Pace) -> float:
    """Of one turn, roughly, as cycles; at a pace of 1 as instructions.

    parts_of_bytes  lanes that are stored one by one; 0 where words are
    """
    moves = MOVE * sum(load.skip > 1 for part in group.parts for load in part)
    shared = BUTTERFLY * group.size * sum(butterflies(part, group.size) is not None for part in group.parts)
    sums = pace.add * (multiples.instructions(group) + shared) + pace.word * group.words
    rest = len(group.parts) * (PART + START * group.size) + STAGE * group.size * len(group.cuts)
    ends = pace.after * after.cycles().helium + pace.store * STORE[parts_of_bytes]
    return sums + pace.rest * (rest + moves + TURN) + group.size * ends


def _places(walk: Walk) -> list[int]:
    """The four outputs of a turn, from its first one on."""
    return [min(i, walk.outputs - 1) for i in range(WIDTH)]


def _offsets(walk: Walk) -> list[str]:
    """Constants of the frame, as words."""
    frame = [(X + 4 * i, 4 * walk.x_step * at + REACH) for i, at in enumerate(_places(walk))]
    frame += [(Y + 4 * i, walk.y_step * at) for i, at in enumerate(_places(walk))]
    if walk.lanes and close(walk):
        for base, lanes in ((EVEN, walk.lanes[::2]), (ODD, walk.lanes[1::2])):
            low, high = lanes if len(lanes) == 2 else walk.lanes
            for i, at in enumerate(_places(walk)):
                offset = walk.y_step * at
                frame.append((base + 4 * i, offset + low | (offset + high) << 16))
    return [line for at, word in frame for line in (*constant("r5", word), f"str r5, [sp, #{at}]")]


def _starts(part: int, accs: Sequence[str], bits: int, add: bool = False) -> Iterator[str]:
    """The lanes of a start are equal but for a borrow, which vectors do not have."""
    first = part * len(accs)
    for i in range(0, len(accs), 2):
        two = i + 1 < len(accs)
        yield from _pair(first + i) if two else _constant("r5", first + i)
        for acc, register in zip(accs[i : i + 2], ("r5", "r6"), strict=False):
            yield f"vadd.i{bits} {acc}, {acc}, {register}" if add else f"vdup.{bits} {acc}, {register}"


def _pair(at: int) -> list[str]:
    """r5, r6: two constants."""
    return (
        [f"ldrd r5, r6, [r2, #{4 * at}]"]
        if 4 * at <= PAIR
        else [*_constant("r5", at), *_constant("r6", at + 1)]
    )


def _constant(register: str, at: int) -> list[str]:
    if 4 * at <= SINGLE:
        return [f"ldr {register}, [r2, #{4 * at}]"]
    return [*constant(register, 4 * at), f"ldr {register}, [r2, {register}]"]


def _additions(
    part: Sequence[Load], registers: dict[int, str], accs: Sequence[str], bits: int
) -> Iterator[str]:
    at, base = 0, REACH  # in bytes: the next word, and where q7 is
    for load in part:
        at += 4 * load.skip
        for terms in load.terms:
            if at - base > REACH:
                yield from moved("q7", at + REACH - base)
                base = at + REACH
            yield f"vldrw.u32 q0, [q7, #{at - base}]"
            yield from multiples.added(terms, registers, accs, bits)
            at += 4


def _onwards(walk: Walk) -> Iterator[str]:
    """The end of a turn and of a row."""
    whole, rest = divmod(walk.outputs, WIDTH)
    done = WIDTH if whole else walk.outputs  # by the last turn
    if turns(walk.outputs) > 1:
        yield from ["subs r4, r4, #4", "beq 4f"]
        if rest:
            yield from ["cmp r4, #4", "bge 3f", "movs r4, #4", *_step(walk, rest), "b 2b", "3:"]
        yield from [*_step(walk, WIDTH), "b 2b", "4:"]
    yield from [*_step(walk, done, walk.x_row, walk.y_row), "subs r3, r3, #1", "bne 1b"]


def _step(walk: Walk, outputs: int, x_row: int = 0, y_row: int = 0) -> Iterator[str]:
    for register, count in (
        ("r0", 4 * (walk.x_step * outputs + x_row)),
        ("r1", walk.y_step * outputs + y_row),
    ):
        yield from [*constant("r5", count % 2**32), f"add {register}, {register}, r5"]
