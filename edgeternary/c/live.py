"""Live bytes: what the buffers of the arena that are alive at the same time add up to."""

from collections.abc import Iterable, Mapping, Sequence

from edgeternary.c.layouts import WORD_BYTES
from edgeternary.c.plan import Buffer, Step


def aligned(size: int) -> int:
    return -(-size // WORD_BYTES) * WORD_BYTES


def live_bytes(roots: Iterable[Buffer], outside: frozenset[Buffer]) -> int:
    """Bytes of the arena that these buffers take, each counted once."""
    return sum(aligned(root.bytes) for root in {*roots} - outside)


def peak_of(
    homes: Mapping[Buffer, Buffer], steps: Sequence[Step], after: Iterable[Buffer], outside: frozenset[Buffer]
) -> int:
    """Most bytes of the arena that are alive at once during `steps`, scratch memory included.

    homes    whose memory each buffer is: of those that are there, and of those that `steps` make
    after    buffers whose memory is needed afterwards
    outside  buffers whose memory is not the arena's
    """
    if not steps:
        return 0
    home = dict(homes)
    made = {step.out for step in steps}
    last: dict[Buffer, int] = {}
    for index, step in enumerate(steps):
        for buffer in step.ins:
            home.setdefault(buffer, buffer)
            last[home[buffer]] = index
        home[step.out] = home[step.ins[0]] if step.offer.alias else step.out
        last.setdefault(home[step.out], index)
    for kept in after:
        last[kept] = len(steps)
    born = {home[buffer] for buffer in home if buffer not in made}
    worst = 0
    for index, step in enumerate(steps):
        if step.offer.alias:
            continue
        alive = {root for root in born if last.get(root, -1) >= index}
        total = live_bytes(alive, outside) + aligned(step.offer.scratch)
        if step.out not in outside:
            size, reused = aligned(step.out.bytes), 0
            for position in step.offer.in_place:
                root = home[step.ins[position]]
                if root not in outside and last[root] == index:
                    reused = aligned(root.bytes)
                    break
            total += max(size - reused, 0) if reused else size
        worst = max(worst, total)
        born.add(step.out)
    return worst
