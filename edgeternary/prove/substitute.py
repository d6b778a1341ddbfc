"""Formulas with other formulas in place of some of their free bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edgeternary.prove.terms import Bit, Form, Terms, Word, of_parts


def substitute(terms: Terms, bits: Iterable[Bit], other: Mapping[Bit, Bit]) -> Word:
    """The bits with other[free bit] in place of free bits."""
    wanted = tuple(bits)
    new: dict[int, Bit] = {0: 0}

    def of(bit: Bit) -> Bit:
        return new[bit >> 1] ^ (bit & 1)

    def total(form: Form) -> Form:
        constant, parts = form.constant, dict[Bit, int]()
        for bit, factor in form.parts:
            at = new[bit >> 1]
            if at & 1:
                constant, factor = constant + factor, -factor
            if at > 1:
                parts[at & ~1] = parts.get(at & ~1, 0) + factor
        return of_parts(constant, parts)

    for number in terms.cone(wanted):
        kind, *rest = terms.nodes[number]
        if kind == "in":
            new[number] = other.get(2 * number, 2 * number)
        elif kind == "and":
            new[number] = terms.both(*map(of, rest))
        elif kind == "xor":
            new[number] = terms.differ(*map(of, rest))
        elif kind == "table":
            rows = [rest[0] >> a & 1 for a in range(1 << len(rest) - 1)]
            new[number] = terms.table([of(bit) for bit in rest[1:]], rows)
        elif kind == "mux":
            new[number] = terms.choose(*map(of, rest))
        elif kind == "bit":
            new[number] = terms.word(total(rest[0]), rest[1] + 1)[rest[1]]
        else:
            new[number] = terms.below(total(rest[0]))
    return tuple(map(of, wanted))
