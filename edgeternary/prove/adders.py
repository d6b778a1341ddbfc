"""Sums that gates compute: a form whose bits come from full and half adders, in terms of what these add.

Two identities hold for all bits: 2 (a and b) = a + b - (a xor b), and for the carry of a full adder
2 carry(a, b, c) = a + b + c - (a xor b xor c). They are applied from the last gate backwards.
"""

from __future__ import annotations

import heapq

from edgeternary.prove.terms import Bit, Form, Terms, added, of_parts


def simple(terms: Terms, form: Form) -> Form:
    """An equal form, in which what adders made of gates and tables give together is replaced."""
    while True:
        found = _words(terms, _tables(terms, _carries(terms, form)))
        if found == form:
            return form
        form = found


def _words(terms: Terms, form: Form) -> Form:
    """All bits of one sum, each with its weight: that sum."""
    groups: dict[Form, dict[int, Bit]] = {}
    for bit, _ in form.parts:
        if terms.nodes[bit >> 1][0] == "bit":
            groups.setdefault(terms.nodes[bit >> 1][1], {})[terms.nodes[bit >> 1][2]] = bit
    factors = dict(form.parts)
    pieces = []
    for inner, bits in groups.items():
        width, unit = len(bits), factors.get(bits.get(0, -1), 0)
        weights = [factors[bits[k]] for k in range(width) if k in bits]
        if len(weights) < width:
            continue
        if (
            weights[:-1] != [unit << k for k in range(width - 1)]
            or abs(weights[-1]) != abs(unit) << width - 1
        ):
            continue
        signed = weights[-1] != unit << width - 1
        low = -(1 << width - 1) if signed else 0
        whole = terms.wrapped(inner, width, low)
        if whole is None:
            whole = terms.wrapped(simple(terms, _low(inner, width)), width, low)
        if whole is not None:
            pieces.append((unit, whole))
            for bit in bits.values():
                del factors[bit]
    return added([*pieces, (1, of_parts(form.constant, factors))])


def _low(form: Form, width: int) -> Form:
    """A form with the same `width` low bits, in which a bit that counts for -2^(width - 1) counts for +."""
    half = 1 << width - 1
    return Form(form.constant, frozenset((bit, half if f == -half else f) for bit, f in form.parts))


def _tables(terms: Terms, form: Form) -> Form:
    """Tables of the same bits, where their sum is one of these bits."""
    groups: dict[tuple[Bit, ...], list[Bit]] = {}
    for bit, _ in form.parts:
        if terms.nodes[bit >> 1][0] == "table":
            groups.setdefault(terms.nodes[bit >> 1][2:], []).append(bit)
    factors, constant = dict(form.parts), form.constant
    for pins, bits in groups.items():
        tables = [(factors[bit], int(terms.nodes[bit >> 1][1])) for bit in bits]
        rows = [sum(f * (number >> a & 1) for f, number in tables) for a in range(1 << len(pins))]
        steps = [rows[1 << k] - rows[0] for k in range(len(pins))]
        if any(
            row != rows[0] + sum(s for k, s in enumerate(steps) if a >> k & 1) for a, row in enumerate(rows)
        ):
            continue
        constant += rows[0]
        for bit in bits:
            del factors[bit]
        for bit, step in zip(pins, steps, strict=True):
            factors[bit] = factors.get(bit, 0) + step
    return of_parts(constant, factors)


def _carries(terms: Terms, form: Form) -> Form:
    """Carries that go together with their sums."""
    parts = dict(form.parts)
    constant = form.constant
    queue = [-bit for bit in parts]
    heapq.heapify(queue)
    waiting: dict[Bit, list[Bit]] = {}  # carries by the sum that is not there yet
    while queue:
        bit = -heapq.heappop(queue)
        if bit in waiting and bit in parts:
            for other in waiting.pop(bit):
                heapq.heappush(queue, -other)
        factor = parts.get(bit, 0)
        if not factor or factor & 1 or not (found := carry(terms, bit)):
            continue
        turned, operands = found
        totals = sums(terms, operands)
        total = next((one for one in totals if one & ~1 in parts), -1)
        if total < 0:
            for one in totals:
                waiting.setdefault(one & ~1, []).append(bit)
            continue
        del parts[bit]
        half = factor // 2
        if turned:
            constant, half = constant + factor, -half
        for literal, f in [*((x, half) for x in operands), (total, -half)]:
            if literal & 1:
                constant, f = constant + f, -f
            at = literal & ~1
            if at:
                parts[at] = parts.get(at, 0) + f
                heapq.heappush(queue, -at)
                if not parts[at]:
                    del parts[at]
    return of_parts(constant, parts)


def sums(terms: Terms, operands: tuple[Bit, ...]) -> list[Bit]:
    """The nodes that there are of the sum of two or three bits without carry, in any order of these."""
    if len(operands) == 2:
        found = [terms.xor_of(*operands)]
    else:
        a, b, c = operands
        halves = [(terms.xor_of(a, b), c), (terms.xor_of(a, c), b), (terms.xor_of(b, c), a)]
        found = [terms.xor_of(half, last) for half, last in halves if half >= 0]
    return [one for one in found if one >= 0]


def carry(terms: Terms, bit: Bit) -> tuple[bool, tuple[Bit, ...]] | None:
    """The bits whose carry a node is, and whether it is the complement; None where it is none."""
    node = terms.nodes[bit >> 1]
    if node[0] != "and":
        return None
    _, x, y = node
    assert isinstance(x, int) and isinstance(y, int)
    if x & 1 and y & 1:
        for first, second in ((x, y), (y, x)):
            if three := _full(terms, first ^ 1, second ^ 1):
                return True, three
    elif three := _majority(terms, x, y):
        return True, three
    return False, (x, y)


def _majority(terms: Terms, x: Bit, y: Bit) -> tuple[Bit, ...] | None:
    """a, b, c where the node of x and y says that none of a b, a c, b c is set."""
    if not (x & 1) ^ (y & 1):
        return None
    one, inner = (x, terms.nodes[y >> 1]) if x & 1 else (y, terms.nodes[x >> 1])
    if inner[0] != "and" or not (inner[1] & 1 and inner[2] & 1):
        return None
    pairs = [terms.nodes[bit >> 1] for bit in (one, inner[1], inner[2])]
    if any(pair[0] != "and" for pair in pairs):
        return None
    literals = sorted({bit for pair in pairs for bit in pair[1:]})
    different = len({frozenset(pair[1:]) for pair in pairs}) == 3
    return tuple(literals) if len(literals) == 3 and different else None


def _full(terms: Terms, both: Bit, passed: Bit) -> tuple[Bit, ...] | None:
    """a, b, c where the bits are a and b, and (a xor b) and c."""
    if both & 1 or passed & 1:
        return None
    one, other = terms.nodes[both >> 1], terms.nodes[passed >> 1]
    if one[0] != "and" or other[0] != "and":
        return None
    _, a, b = one
    assert isinstance(a, int) and isinstance(b, int)
    half = terms.differ(a, b)
    for at in (1, 2):
        if other[at] == half:
            third = other[3 - at]
            assert isinstance(third, int)
            return a, b, third
    return None
