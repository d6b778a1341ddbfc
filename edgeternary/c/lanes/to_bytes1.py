"""Two lanes of sums to bytes of natural layout in 16-bit instructions: see `lanes/to_bytes`.

r0          the codes of shifted sums; the words of the input wait in the frame
r1, r2      y of the low lane, and of the high one
r3-r7       the sums of channels 0-4, of which the fifth waits in the frame where codes are looked up
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.program import Group


def store(
    after: After,
    group: Group,
    low: Sequence[str],
    difference: Callable[[int, str, str], list[str]],
    frame: dict[str, int],
) -> Iterator[str]:
    """From sums in registers `low`, and in pairs that `difference` (channel, register, spare) turns into one.

    frame  where on the stack: y; apart, the distance of the high lane; codes; x and sum, two free words
    """
    here = range(group.first, group.first + group.size)
    hard = [bool(after.hard[channel]) for channel in here]
    yield from [f"ldr r1, [sp, #{frame['y']}]", f"ldr r2, [sp, #{frame['apart']}]", "adds r2, r2, r1"]
    direct, spare = min(group.size, len(low)), low[-1]
    waiting = any(hard) and direct == len(low)
    if any(hard):
        yield from [f"str r0, [sp, #{frame['x']}]", f"ldr r0, [sp, #{frame['codes']}]"]
    if waiting:
        direct -= 1
        yield f"str {spare}, [sp, #{frame['sum']}]"
    for i in range(direct):
        yield from _bytes(after, group, i, low[i], spare)
    for i in range(direct, group.size):
        if i < len(low):
            yield f"ldr {low[0]}, [sp, #{frame['sum']}]"
        else:
            yield from difference(i, low[0], low[1])
        yield from _bytes(after, group, i, low[0], spare)
    if any(hard):
        yield f"ldr r0, [sp, #{frame['x']}]"


def _bytes(after: After, group: Group, i: int, sum: str, spare: str) -> Iterator[str]:
    s = int(after.shift[group.first + i])
    shifted = f"lsrs {{0}}, {{0}}, #{s}"
    if after.hard[group.first + i]:
        yield from [f"uxth {spare}, {sum}", *([shifted.format(spare)] if s else [])]
        yield from [f"ldrb {spare}, [r0, {spare}]", f"strb {spare}, [r1, #{i}]"]
        yield from [f"lsrs {sum}, {sum}, #{16 + s}", f"ldrb {sum}, [r0, {sum}]", f"strb {sum}, [r2, #{i}]"]
        return
    yield from [shifted.format(sum)] if s else []
    yield from [f"strb {sum}, [r1, #{i}]", f"lsrs {sum}, {sum}, #16", f"strb {sum}, [r2, #{i}]"]
