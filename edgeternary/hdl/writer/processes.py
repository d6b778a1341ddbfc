"""What happens under conditions: processes without what has no effect, and the signals that they read."""

from collections.abc import Iterator
from dataclasses import replace

from edgeternary.hdl.writer.netlist import Assign, Body, Case, Piece, Spec, Switch, above, cut, width


def pruned(body: Body, top: int) -> Body:
    """A process without what is assigned above bit `top`, and without what has no effect."""
    found: Body = []
    for item in body:
        if isinstance(item, Assign):
            (left,) = item.left
            if left.low < top:
                bits = min(left.width, top - left.low)
                found.append(Assign(cut(item.left, bits), cut(item.right, bits)))
            continue
        cases = [Case(case.patterns, pruned(case.body, top)) for case in item.cases]
        while cases and not cases[-1].body:
            cases.pop()
        if not cases:
            continue
        found += _switch(item.selector, cases)
    return found


def _switch(selector: Spec, cases: list[Case]) -> Body:
    """A switch over those bits of the selector that some pattern asks for."""
    columns = [k for k in range(width(selector)) if any(p[-1 - k] != "-" for c in cases for p in c.patterns)]
    if not columns:
        return cases[0].body
    kept = [
        Case(["".join(p[-1 - k] for k in reversed(columns)) for p in case.patterns], case.body)
        for case in cases
    ]
    bits = [cut(above(selector, k), 1)[0] for k in columns]
    return [Switch(joined(bits), kept)]


def joined(bits: list[Piece]) -> Spec:
    """Neighbours of one wire as one piece."""
    found: list[Piece] = []
    for bit in bits:
        if found and bit.wire and found[-1].wire == bit.wire and found[-1].low + found[-1].width == bit.low:
            found[-1] = replace(found[-1], width=found[-1].width + bit.width)
        elif found and not bit.wire and not found[-1].wire:
            found[-1] = replace(found[-1], width=found[-1].width + bit.width, bits=bit.bits + found[-1].bits)
        else:
            found.append(bit)
    return tuple(found)


def by_case(switch: Switch) -> bool:
    """Whether it is written as a case statement: one number is compared with constants."""
    patterns = [p for case in switch.cases for p in case.patterns]
    exact = not any("-" in p for p in patterns) and len(set(patterns)) == len(patterns)
    one = len(switch.selector) == 1 and switch.selector[0].wire and switch.selector[0].width > 1
    return bool(one and exact and len(patterns) > 1)


def apart(one: Case, other: Case) -> bool:
    """Whether no selector fits both."""
    return all(
        any(a != b and "-" not in (a, b) for a, b in zip(p, q, strict=True))
        for p in one.patterns
        for q in other.patterns
    )


def terms(selector: Spec, pattern: str) -> list[tuple[Piece, str]]:
    """The pieces of a selector, the highest first, that a pattern asks for, each with its part of it."""
    found = []
    at = len(pattern)
    for piece in selector:
        bits = pattern[at - piece.width : at]
        at -= piece.width
        if bits.strip("-"):
            found.append((piece, bits))
    return found[::-1]


def keeps(item: Assign, register: str) -> bool:
    """Whether it gives a register what it has."""
    same = len(item.right) == 1 and item.right[0].wire == register
    return same and item.left[0].low == 0 == item.right[0].low


def specs(body: Body, register: str | None = None) -> Iterator[Spec]:
    """Every signal that a process reads, as often as it is written. register: that which takes its result,
    and which keeps what it has without being told to."""
    for k, item in enumerate(body):
        if isinstance(item, Assign):
            if k or register is None or not keeps(item, register):
                yield item.right
            continue
        if by_case(item):
            yield item.selector
        first, *others = item.cases
        silent = len(others) == 1 and not first.body and others[0].patterns and apart(first, others[0])
        for case in item.cases:
            if not by_case(item) and not (silent and case is first):
                for pattern in case.patterns:
                    yield from ((piece,) for piece, _ in terms(item.selector, pattern))
            yield from specs(case.body)
