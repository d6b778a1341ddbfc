"""Terms of a sum that depend on a few bits, as polynomials: what several of them have in common cancels.

A function f of bits x is the sum over subsets S of c(S) * product of x in S, with integers c (Möbius):
x xor y = x + y - 2 x y. These products are the same whatever gates f is made of.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edgeternary.prove.evaluate import evaluate
from edgeternary.prove.terms import Bit, Form, Terms, of_parts

MOST = 10  # bits that a term may depend on


def expanded(terms: Terms, form: Form, bits: Iterable[Bit]) -> Form:
    """An equal form, with products of free bits in place of those of its `bits` that depend on few."""
    constant, parts = form.constant, dict(form.parts)
    for bit in bits:
        free = terms.support([bit])
        if len(free) > MOST:
            continue
        factor = parts.pop(bit)
        for at, c in enumerate(coefficients(terms, bit, free)):
            if not c:
                continue
            product = terms.all_of(x for k, x in enumerate(free) if at >> k & 1)
            if product > 1:
                parts[product] = parts.get(product, 0) + factor * c
            else:
                constant += factor * c
    return of_parts(constant, {bit: factor for bit, factor in parts.items() if factor})


def coefficients(terms: Terms, bit: Bit, free: list[Bit]) -> list[int]:
    """c(S) of a function of the bits `free`; bit k of the index says whether free[k] is in S."""
    every = np.arange(1 << len(free), dtype=np.int64)
    (found,) = evaluate(terms, [bit], {x: every >> k & 1 for k, x in enumerate(free)}, len(every))
    found = np.broadcast_to(found, every.shape).copy()
    for k in range(len(free)):
        pairs = found.reshape(-1, 2, 1 << k)
        pairs[:, 1] -= pairs[:, 0]
    return [int(c) for c in found]
