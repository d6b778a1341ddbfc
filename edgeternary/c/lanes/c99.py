"""Group programs as C: one function for each, straight-line additions of words in a loop over outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.program import Group, Load
from edgeternary.c.lanes.walk import Walk


def body(group: Group, after: After, walk: Walk) -> list[str]:
    """Lines of the loop's body: from words at `x` and constants at `k` to words, or codes, at `y`."""
    lines: list[str] = []
    for number, part in enumerate(group.parts):
        start = number * group.size
        inits = ", ".join(f"a{i} = k[{start + i}]" for i in range(group.size))
        lines += [f"{'uint32_t ' if number == 0 else ''}{inits};"]
        lines += _additions(part)
        if after.kind == "halves" and number == 0:
            lines.append(f"uint32_t {', '.join(f'b{i} = a{i}' for i in range(group.size))};")
        if after.kind == "sums":
            lines += [f"y[{number * walk.apart + i}] = a{i};" for i in range(group.size)]
    if after.kind != "sums":
        for i in range(group.size):
            if after.kind == "bytes":
                lines += _bytes(after, group, i, walk)
                continue
            lines += AFTER[after.kind](after, group, i, walk.bits, walk.ones)
            lines += _codes(i, walk) if walk.lanes else [f"y[{i}] = a{i};"]
    return lines


def _additions(part: Sequence[Load]) -> Iterator[str]:
    at = 0
    for load in part:
        at += load.skip
        for terms in load.terms:
            if terms:
                sums = " ".join(f"a{i} {'+' if sign > 0 else '-'}= v;" for i, sign in terms)
                yield f"v = x[{at}]; {sums}"
            at += 1


def _shift(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """Lanes below 2^(bits-1) become 0, then the shift; lanes of 2^(top + s) and more become all ones."""
    s, top = int(after.shift[group.first + i]), after.top
    yield f"v = (a{i} >> {bits - 1}) & 0x{ones:x}u;"
    yield f"a{i} &= (v << {bits - 1}) - v;"
    mask = f"0x{ones * (2 ** min(top, bits - 1 - s) - 1):x}u"
    shifted = f"a{i} >> {s}" if s else f"a{i}"
    if after.hard[group.first + i]:
        yield f"v = ((a{i} + k[{group.size + i}]) >> {bits - 1}) & 0x{ones:x}u;"
        yield f"a{i} = (({shifted}) & {mask}) | ((v << {top}) - v);"
    else:
        yield f"a{i} = ({shifted}) & {mask};"


def _count(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """The highest bit of a lane says that a threshold is reached."""
    if after.hard[group.first + i]:
        yield from _count_all_bits(after, group, i, bits, ones)
        return
    reached = f"(a{i} >> {bits - 1}) & 0x{ones:x}u"
    if after.levels == 1:
        yield f"a{i} = {reached};"
        return
    yield f"v = {reached};"
    for level in range(1, after.levels):
        last = level == after.levels - 1
        yield f"a{i} -= k[{(level + 1) * group.size + i}];"
        yield f"{f'a{i} = v +' if last else 'v +='} ({reached});"


def _count_all_bits(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """a >= t: the highest bits decide, or where they agree the others, compared below a highest bit of 1."""
    yield f"v = a{i} | 0x{ones << (bits - 1):x}u;"
    terms = []
    for level in range(after.levels):
        sign = "&" if after.limits[level, group.first + i] >> (bits - 1) else "|"
        terms.append(f"((((v - k[{(level + 1) * group.size + i}]) {sign} a{i}) >> {bits - 1}) & 0x{ones:x}u)")
    yield f"a{i} = {' + '.join(terms)};"


def _halves(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """a: half of a + b, rounded down; b: rounded up. See `lanes/halves`."""
    odd = after.odds(group.first + i)
    yield f"v = a{i} & b{i};"
    yield f"b{i} ^= a{i};"
    yield f"a{i} = v + ((b{i} >> 1) & 0x{((1 << (bits - 1)) - 1) * ones:x}u);"
    if any(odd):
        yield f"b{i} = a{i} + (b{i} & 0x{ones:x}u);"
    terms = []
    for level, up in enumerate(odd):
        half, k = f"{'b' if up else 'a'}{i}", f"k[{(2 + level) * group.size + i}]"
        compared = f"{half} - {k}"
        if after.hard[group.first + i]:
            sign = "&" if after.limits[level, group.first + i] >> (bits - 1) else "|"
            compared = f"(({half} | 0x{ones << (bits - 1):x}u) - {k}) {sign} {half}"
        terms.append(f"((({compared}) >> {bits - 1}) & 0x{ones:x}u)")
    yield f"a{i} = {' + '.join(terms)};"


def _select(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """_count_all_bits with whole thresholds, those of a channel side by side."""
    yield f"v = a{i} | 0x{ones << (bits - 1):x}u;"
    terms = []
    for level in range(after.levels):
        sign = "&" if after.limits[level, group.first + i] >> (bits - 1) else "|"
        limit = f"(k[{group.size + after.levels * i + level}] & 0x{((1 << (bits - 1)) - 1) * ones:x}u)"
        terms.append(f"((((v - {limit}) {sign} a{i}) >> {bits - 1}) & 0x{ones:x}u)")
    yield f"a{i} = {' + '.join(terms)};"


def _scale(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """Each lane is a signed number with its highest bit inverted."""
    m, b = (f"(int32_t)k[{group.size + 2 * i + j}]" for j in range(2))
    lanes = []
    for shift in (0, bits):
        number = f"((int32_t)(a{i} >> {shift} & 0x{2**bits - 1:x}u) - {2 ** (bits - 1)})"
        scaled = f"({number} * {m} + {b}) >> {after.shift[group.first + i]}"
        lanes.append(f"(uint32_t)CLAMP({scaled}, 0, {2**after.top - 1})")
    yield f"v = {lanes[0]};"
    yield f"a{i} = v | {lanes[1]} << {bits};"


def _bytes(after: After, group: Group, i: int, walk: Walk) -> Iterator[str]:
    """Each lane is a signed number with its highest bit inverted, or an index into the codes."""
    s, hard = int(after.shift[group.first + i]), bool(after.hard[group.first + i])
    lo = walk.low
    for lane, apart in enumerate(walk.lanes):
        number = f"(a{i} >> {walk.bits})" if lane else f"(a{i} & 0x{2**walk.bits - 1:x}u)"
        shifted = f"((int32_t){number} - {2 ** (walk.bits - 1)}) >> {s}"
        if hard and after.codes is not None:
            shifted = f"codes[{number} >> {s}]"
        elif hard:
            shifted = f"CLAMP({shifted}, {lo}, {lo + 2**after.top - 1})"
        yield f"y[{apart + i}] = ({'int8_t' if lo else 'uint8_t'})({shifted});"


def _codes(i: int, walk: Walk) -> list[str]:
    """The code of each lane."""
    lines = []
    for lane, apart in enumerate(walk.lanes):
        number = f"a{i} >> {walk.bits * lane}" if lane else f"a{i}"
        if walk.low:
            number = f"(int32_t)(({number}) & 0x{2**walk.bits - 1:x}u)"
            number = f"{walk.unit} * {number} - {-walk.low}" if walk.unit > 1 else f"{number} - {-walk.low}"
        lines.append(f"y[{apart + i}] = ({'int8_t' if walk.low else 'uint8_t'})({number});")
    return lines


def _saturate(after: After, group: Group, i: int, bits: int, ones: int) -> Iterator[str]:
    """_shift with USAT16, which takes two signed lanes."""
    s = int(after.shift[group.first + i])
    most = min(after.top + s, bits - 1)
    yield f'__asm__("usat16 %0, %1, %2" : "=r"(a{i}) : "I"({most}), "r"(a{i} ^ 0x{ones << (bits - 1):x}u));'
    if s:
        yield f"a{i} = (a{i} >> {s}) & 0x{ones * (2 ** (most - s) - 1):x}u;"


def with_literals(line: str, words: Sequence[int]) -> str:
    """The constants themselves in place of k[...]."""
    return re.sub(r"k\[(\d+)\]", lambda match: f"0x{words[int(match[1])]:x}u", line)


AFTER = {
    "shift": _shift,
    "count": _count,
    "scale": _scale,
    "select": _select,
    "halves": _halves,
    "saturate": _saturate,
}
