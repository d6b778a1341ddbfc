"""Group programs as C: one function for each, straight-line additions of words in a loop over outputs."""

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
        lines += [*_additions(part), *after.c(group, number, walk)]
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
