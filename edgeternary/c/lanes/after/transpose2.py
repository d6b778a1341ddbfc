"""Codes in four lanes of 8 bits to bytes of natural layout: 4 channels by 4 lanes of bytes change places.

Of channels a, b, c, d, where a0 is the byte of lane 0, half words give

    t = a0 a1 c0 c1    u = b0 b1 d0 d1    v = a2 a3 c2 c3    w = b2 b3 d2 d3

and SEL, whose flags say "bytes 0 and 2 from the first operand", a word of each lane:

    lane 0: t, u << 8    lane 1: t >> 8, u    lane 2: v, w << 8    lane 3: v >> 8, w

r1, r2, r12, lr     y of the lanes, those that are too far away for an offset     r0, r3    temporaries
"""

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes.text2 import sum_to
from edgeternary.c.lanes.walk import Walk

LANES = 4
REACH = 4095  # of the offset of a store
POINTERS = ("r1", "r2", "r12", "lr")
FLAGS = ("mov r0, #0x01010101", "mov r3, #0x00ff00ff", "usub8 r3, r3, r0")


def store(walk: Walk, codes: Sequence[str], y: int) -> Iterator[str]:
    """From words of codes to y, which is in the frame at `y`."""
    yield f"ldr r1, [sp, #{y}]"
    if len(walk.lanes) != LANES:
        yield from _two_lanes(walk, codes)
        return
    places = []
    for pointer, apart in zip(POINTERS, walk.lanes, strict=True):
        near = apart + len(codes) <= REACH
        places.append(("r1", apart) if near else (pointer, 0))
        yield from [] if near else sum_to(pointer, "r1", apart, "r3")
    yield from FLAGS if len(codes) > 1 else ()
    for i in range(0, len(codes) - 3, 4):
        yield from _four(codes[i : i + 4], _at(places, i))
    rest = len(codes) // 4 * 4
    if len(codes) % 4 >= 2:
        yield from _pair(codes[rest], codes[rest + 1], _at(places, rest))
        rest += 2
    if rest < len(codes):
        yield from _one(codes[rest], 8, _at(places, rest))


def _at(places: Sequence[tuple[str, int]], channel: int) -> list[str]:
    return [f"[{pointer}, #{offset + channel}]" for pointer, offset in places]


def _four(codes: Sequence[str], places: Sequence[str]) -> Iterator[str]:
    a, b, c, d = codes
    yield from [f"pkhbt r0, {a}, {c}, lsl #16", f"pkhtb {c}, {c}, {a}, asr #16"]
    yield from [f"pkhbt r3, {b}, {d}, lsl #16", f"pkhtb {d}, {d}, {b}, asr #16"]
    for t, u, free, first, second in (("r0", "r3", a, *places[:2]), (c, d, b, *places[2:])):
        yield from [f"lsl {free}, {u}, #8", f"sel {free}, {t}, {free}", f"str {free}, {first}"]
        yield from [f"lsr {t}, {t}, #8", f"sel {t}, {t}, {u}", f"str {t}, {second}"]


def _pair(a: str, b: str, places: Sequence[str]) -> Iterator[str]:
    """Lanes 0 and 2 in one word, 1 and 3 in another."""
    yield from [f"lsl r0, {b}, #8", f"sel r0, {a}, r0", f"lsr {a}, {a}, #8", f"sel {a}, {a}, {b}"]
    for word, first, second in (("r0", places[0], places[2]), (a, places[1], places[3])):
        yield from [f"strh {word}, {first}", f"lsr {word}, {word}, #16", f"strh {word}, {second}"]


def _one(code: str, bits: int, places: Sequence[str]) -> Iterator[str]:
    for lane, place in enumerate(places):
        yield from [f"lsr {code}, {code}, #{bits}"] if lane else []
        yield f"strb {code}, {place}"


def _two_lanes(walk: Walk, codes: Sequence[str]) -> Iterator[str]:
    """Codes in lanes of 16 bits."""
    yield from sum_to("r2", "r1", walk.lanes[1], "r3")
    for i, code in enumerate(codes):
        yield from _one(code, 16, [f"[r1, #{i}]", f"[r2, #{i}]"])
