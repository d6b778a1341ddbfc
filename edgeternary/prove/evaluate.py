"""Bits for many assignments of their free bits at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgeternary.prove.terms import Bit, Form, Terms

Column = NDArray[np.int64]  # 0 and 1, one entry for each assignment


def evaluate(terms: Terms, bits: Iterable[Bit], free: Mapping[Bit, Column], count: int) -> list[Column]:
    """The values of bits for `count` assignments, out of those of `free` ones, or of gates in their place.

    ValueError for a free bit without a column.
    """
    wanted = list(bits)
    values: dict[int, Column] = {0: np.zeros(count, np.int64)}
    forms: dict[Form, Column] = {}

    def of(bit: Bit) -> Column:
        found = values[bit >> 1]
        return 1 - found if bit & 1 else found

    def total(form: Form) -> Column:
        if form not in forms:
            found = np.full(count, form.constant, np.int64)
            for bit, factor in form.parts:
                found += factor * values[bit >> 1]
            forms[form] = found
        return forms[form]

    for number in terms.cone(wanted, free):
        kind, *rest = terms.nodes[number]
        if 2 * number in free:
            values[number] = free[2 * number]
            continue
        if kind == "and":
            values[number] = of(rest[0]) & of(rest[1])
        elif kind == "xor":
            values[number] = of(rest[0]) ^ of(rest[1])
        elif kind == "table":
            address = sum(of(bit) << k for k, bit in enumerate(rest[1:]))
            entries = np.array([rest[0] >> a & 1 for a in range(1 << len(rest) - 1)], np.int64)
            values[number] = entries[address]
        elif kind == "mux":
            values[number] = np.where(of(rest[0]) == 1, of(rest[2]), of(rest[1]))
        elif kind == "bit":
            values[number] = total(rest[0]) >> rest[1] & 1
        elif kind == "negative":
            values[number] = (total(rest[0]) < 0).astype(np.int64)
        else:
            raise ValueError(f"bit {rest} has no column")
    return [of(bit) for bit in wanted]
