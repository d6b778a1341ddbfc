"""Formulas that depend on one integer as a whole: comparisons, and bits of what is proportional to it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgeternary.prove.evaluate import Column, evaluate
from edgeternary.prove.terms import Bit, Form, Terms, operands


class ByNumber:
    """Bits for each of some values of an integer.

    possible  the values for which all forms that were met are whole numbers: no others can occur
    """

    def __init__(self, terms: Terms, number: Form, values: Column) -> None:
        self.terms, self.number, self.values = terms, dict(number.parts), values
        self.constant = number.constant
        self.possible = np.ones(values.shape, bool)

    def bits(self, wanted: Iterable[Bit]) -> list[Column] | None:
        """The values of bits; None where they depend on more than the integer."""
        wanted = list(wanted)
        known: dict[Bit, Column] = {}
        stack, seen = [bit >> 1 for bit in wanted if bit > 1], set[int]()
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            kind, *rest = self.terms.nodes[n]
            if kind == "in":
                return None
            if kind in ("bit", "negative"):
                assert isinstance(rest[0], Form)
                total = self.total(rest[0])
                if total is None:
                    return None
                known[2 * n] = (total < 0).astype(np.int64) if kind == "negative" else total >> rest[1] & 1
            else:
                stack += [bit >> 1 for bit in operands(self.terms.nodes[n]) if bit > 1]
        return evaluate(self.terms, wanted, known, len(self.values))

    def total(self, form: Form) -> Column | None:
        """A form for each value: it is (up * integer + shift) / down; None where it is no such form."""
        parts = dict(form.parts)
        if parts.keys() != self.number.keys() or not parts:
            return None
        bit = next(iter(parts))
        up, down = parts[bit], self.number[bit]
        if any(factor * down != self.number[b] * up for b, factor in parts.items()):
            return None
        if down < 0:
            up, down = -up, -down
        scaled = up * (self.values - self.constant)
        self.possible &= scaled % down == 0
        return scaled // down + form.constant
