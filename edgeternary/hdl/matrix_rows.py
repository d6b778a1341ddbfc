"""Products of a matrix of constants with numbers of a circuit, as sums of numbers that are not below 0.

A number x is added as it is, and -x as its inverse, so that nothing is subtracted: a bit b as 1 - b, a word
of n bits as 2^n - 1 - x, both with a constant that the row keeps. A code u of 0, 1, 2 (a ternary number and
one) is z + 2 p and 2 - u is z + 2 n, with the same bit z. Rows with few zeros add up only one sign:
sum_c w_c x_c = 2 sum_{w=1} x_c + sum_{w=0} x_c - sum_c x_c for weights of -1, 0 and 1, or the same with
the signs exchanged; the last sum is the same in all rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeternary.hdl.sharing import added, shared
from edgeternary_hw import Circuit, Number
from edgeternary_hw.circuit import total
from edgeternary_hw.fabric import FABRICS
from edgeternary_hw.signed_digits import signed_digits

ALL = 8  # numbers that a row must save to be worth the sum of all, and a comparison with it

Term = tuple[int, int]  # node, power of two


@dataclass
class Row:
    """factor * (the sum of terms - `rest` * sum of all numbers) + constant."""

    factor: int = 1
    terms: list[Term] = field(default_factory=list)
    rest: int = 0
    constant: int = 0


def products(
    circuit: Circuit, weights: Sequence[Sequence[int]], bias: Sequence[int], x: Sequence[Number]
) -> list[Number]:
    """weights (rows, columns) times x, and bias."""
    sums = [
        total(((w, n) for w, n in zip(row, x, strict=True) if w), b)
        for row, b in zip(weights, bias, strict=True)
    ]
    everything = sorted({n for number in x for n, _ in number.terms})
    rows = [_row(circuit, number, everything) for number in sums]
    whole = Row()
    if any(row.rest for row in rows):
        for n in everything:
            _add(circuit, whole, n, 1, 0)
    fabric = FABRICS[circuit.fabric]
    split: dict[tuple[int, int], list[int]] = {}
    for r, row in enumerate([*rows, whole]):
        for n, shift in row.terms:
            split.setdefault((r, shift), []).append(n)
    parts = dict(zip(split, shared(circuit, list(split.values()), fabric), strict=True))
    nodes = []
    for r in range(len(rows) + 1):
        shifts = sorted(shift for k, shift in parts if k == r)
        nodes.append(_joined(circuit, [(added(circuit, parts[r, s], fabric), s) for s in shifts]))
    found = []
    for row, number in zip(rows, nodes[:-1], strict=True):
        both = (
            [(row.factor, number), (-row.factor * row.rest, nodes[-1])]
            if row.rest
            else [(row.factor, number)]
        )
        constant = row.constant - row.factor * row.rest * whole.constant if row.rest else row.constant
        found.append(total(both, constant))
    return found


def _joined(circuit: Circuit, parts: list[Term]) -> Number:
    """Sums of several powers of two, the highest ones first."""
    if not parts:
        return Number()
    n, shift = parts[-1]
    for other, lower in reversed(parts[:-1]):
        n, shift = circuit.add(other, n, 0, shift - lower), lower
    return Number(((n, 1 << shift),))


def _row(circuit: Circuit, number: Number, everything: list[int]) -> Row:
    """How a row is best added up."""
    coefficients = dict(number.terms)
    common = math.gcd(*coefficients.values()) or 1
    scaled = {n: c // common for n, c in coefficients.items()}
    plus = [n for n, c in scaled.items() if c == 1]
    minus = [n for n, c in scaled.items() if c == -1]
    zeros = [n for n in everything if n not in scaled]
    row = Row(common, constant=number.constant)
    if len(plus) + len(minus) == len(scaled) and min(len(plus), len(minus)) + len(zeros) + ALL < len(scaled):
        sign, fewer = (1, plus) if len(plus) <= len(minus) else (-1, minus)
        row.factor, row.rest = sign * common, 1
        for n in fewer:
            _add(circuit, row, n, 1, 1)
        for n in zeros:
            _add(circuit, row, n, 1, 0)
        return row
    for n, c in scaled.items():
        for shift, sign in signed_digits(c):
            _add(circuit, row, n, sign, shift)
    return row


def _add(circuit: Circuit, row: Row, n: int, sign: int, shift: int) -> None:
    """Adds sign * n * 2^shift to a row."""
    node = circuit.nodes[n]
    half = 1 << node.width - 1
    bits = [circuit.bit(n, k) for k in range(node.width)]
    if (node.lo, node.hi) == (0, 2):
        z, p = bits
        last = p if sign > 0 else circuit.table((z, p), 1)
        row.terms += [(z, shift), (last, shift + 1)]
        offset = 0 if sign > 0 else -2
    else:
        low, high = node.lo, node.hi
        if node.signed:
            bits[-1], low, high = circuit.invert(bits[-1]), low + half, high + half
        if sign < 0:
            bits, low, high = [circuit.invert(b) for b in bits], 2 * half - 1 - high, 2 * half - 1 - low
        term = n if sign > 0 and not node.signed else circuit.word(bits, low, high)
        row.terms.append((term, shift))
        offset = sign * (node.lo - low) if sign > 0 else -(node.hi + low)
    row.constant += row.factor * (offset << shift)
