"""Two lanes of sums to bytes of natural layout as Thumb-2: see `natural`.

Four channels are four words of two sums, and become two words of four bytes. A byte is in the bits s .. s + 7
of its lane; with M = 0x00ff00ff

    p = ((a >> sa) & M) | ((b >> sb) & M) << 8      channels 0 and 1: of the low lane, then of the high one
    q = the same of channels 2 and 3
    low lane: p & 0xffff | q << 16                  high lane: p >> 16 | q & 0xffff0000

r1     y of the low lane; a store of four bytes needs no address that is a multiple of 4
r2     y of the high lane, where it is too far away for an offset
r3     M, or a lane that is saturated alone
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeternary.c.lanes.text2 import sum_to
from edgeternary.c.lanes.walk import Walk

MASK = "mov r3, #0x00ff00ff"
REACH = 4095  # of the offset of a store
MAX_USAT16 = 15


@dataclass(frozen=True)
class Sums:
    """Of a group: registers, right shifts, whether they can leave the codes of `top` bits."""

    accs: Sequence[str]
    shift: Sequence[int]
    hard: Sequence[int]
    top: int


def store(sums: Sums, walk: Walk) -> Iterator[str]:
    """To y in r1, which stays."""
    apart, size = walk.lanes[1], len(sums.accs)
    high, offset = ("r1", apart) if apart + size <= REACH else ("r2", 0)
    if high == "r2":
        yield from sum_to("r2", "r1", apart, "r3")
    masked = False
    for first, count in _pieces(size):
        part = range(first, first + count)
        hard = [i for i in part if sums.hard[i]]
        if count > 1 and (walk.dsp or not hard):
            yield from [] if masked else [MASK]
            masked = True
            for i in hard:
                yield from _saturated(sums, walk, i)
            yield from _together(sums, part, walk.dsp)
            names = [sums.accs[i] for i in part]
            low, up, name = (names[1], names[2], "str") if count == 4 else (names[0], names[1], "strh")
            yield from [f"{name} {low}, [r1, #{first}]", *([f"lsr {up}, {low}, #16"] if count == 2 else [])]
            yield f"{name} {up}, [{high}, #{offset + first}]"
            continue
        for i in part:
            if sums.hard[i] and not walk.dsp:
                masked = False
            yield from _alone(sums, walk, i, f"[{high}, #{offset + i}]")


def _pieces(count: int) -> Iterator[tuple[int, int]]:
    """(first, channels) of stores of four, two and one."""
    first = 0
    while first < count:
        size = next(size for size in (4, 2, 1) if size <= count - first)
        yield first, size
        first += size


def _saturated(sums: Sums, walk: Walk, i: int) -> list[str]:
    """Both lanes to numbers of n + s bits."""
    acc, bits = sums.accs[i], sums.top + sums.shift[i]
    name, most = ("ssat16", 16) if walk.low else ("usat16", MAX_USAT16)
    return [f"eor {acc}, {acc}, #0x80008000", f"{name} {acc}, #{min(bits, most)}, {acc}"]


def _together(sums: Sums, part: Sequence[int], dsp: bool) -> Iterator[str]:
    """Of four channels the words into registers 1 and 2, of two p into register 0."""
    names = [sums.accs[i] for i in part]
    for i, acc in zip(part, names, strict=True):
        s = sums.shift[i]
        yield f"and {acc}, r3, {acc}{f', lsr #{s}' if s else ''}"
    for a, b in zip(names[::2], names[1::2], strict=True):
        yield f"orr {a}, {a}, {b}, lsl #8"
    if len(names) == 4:
        p, low, q = names[:3]
        if dsp:
            yield from [f"pkhbt {low}, {p}, {q}, lsl #16", f"pkhtb {q}, {q}, {p}, asr #16"]
        else:
            yield from [f"mov {low}, {p}", f"bfi {low}, {q}, #16, #16", f"lsr {p}, {p}, #16"]
            yield f"bfi {q}, {p}, #0, #16"


def _alone(sums: Sums, walk: Walk, i: int, high: str) -> Iterator[str]:
    acc, s, hard = sums.accs[i], sums.shift[i], bool(sums.hard[i])
    low = f"strb {{}}, [r1, #{i}]"
    if hard and not walk.dsp:
        name, n = "ssat" if walk.low else "usat", sums.top
        yield from [f"eor {acc}, {acc}, #0x80008000", f"sxth r3, {acc}"]
        yield from [f"{name} r3, #{n}, r3{f', asr #{s}' if s else ''}", low.format("r3")]
        yield from [f"{name} {acc}, #{n}, {acc}, asr #{16 + s}", f"strb {acc}, {high}"]
        return
    if hard:
        yield from _saturated(sums, walk, i)
    yield from [f"lsr {acc}, {acc}, #{s}"] if s else []
    yield from [low.format(acc), f"lsr {acc}, {acc}, #16", f"strb {acc}, {high}"]
