"""Group programs as C: one function for each, straight-line additions of words in a loop over outputs."""

from collections.abc import Iterator, Sequence

from edgeternary.c.lanes import stages
from edgeternary.c.lanes.after import After
from edgeternary.c.lanes.digits import split
from edgeternary.c.lanes.program import Group, Load
from edgeternary.c.lanes.walk import Walk


def body(group: Group, after: After, walk: Walk) -> list[str]:
    """Lines of the loop's body: from words at `x` and constants at `k` to words, or codes, at `y`."""
    lines: list[str] = []
    for number, part in enumerate(group.parts):
        if number and group.cuts:
            place = stages.place(group, after, walk, number)
            lines += stages.c(group.cuts[number - 1], place, group.size, walk)
        else:
            start = number * group.size
            inits = ", ".join(f"a{i} = k[{start + i}]" for i in range(group.size))
            lines += [f"{'uint32_t ' if number == 0 else ''}{inits};"]
        lines += _additions(part)
        if number == len(group.parts) - 1 or not group.cuts:
            lines += after.c(group, number, walk)
    return lines


def _additions(part: Sequence[Load]) -> Iterator[str]:
    at = 0
    for load in part:
        at += load.skip
        for terms in load.terms:
            if terms:
                once, thrice = ([t for t in terms if (t[1] % 3 == 0) == triple] for triple in (False, True))
                yield " ".join([f"v = x[{at}];", *(_added(*term) for term in once)])
                if thrice:
                    yield " ".join(["v += v << 1;", *(_added(*term) for term in thrice)])
            at += 1


def _added(i: int, digit: int) -> str:
    shift = split(digit)[1]
    return f"a{i} {'+' if digit > 0 else '-'}= v{f' << {shift}' if shift else ''};"
