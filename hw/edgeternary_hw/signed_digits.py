"""Products with a constant: its signed digits, and the sums of shifted copies that they stand for."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth import Const, Signal, Value, signed

__all__ = ["TERMS", "Sum", "product_bits", "signed_digits", "sums"]

TERMS = 4  # shifted copies in one sum: two adders in a row


def signed_digits(number: int) -> list[tuple[int, int]]:
    """(exponent, +1 or -1), the highest first: the fewest with number = sum sign * 2^exponent.

    The canonical signed-digit form (Reitwiesner, Binary Arithmetic, Advances in Computers 1, 1960).
    """
    found = []
    exponent = 0
    while number:
        if number & 1:
            sign = 2 - (number & 3)
            found.append((exponent, sign))
            number -= sign
        number >>= 1
        exponent += 1
    return found[::-1]


@dataclass(frozen=True)
class Sum:
    """sign * value * 2^shift; `adders`: what it is made of and their bits; equal ones are built once."""

    value: Value
    shift: int
    sign: int
    adders: tuple[tuple[object, int], ...] = ()

    def __add__(self, lower: Sum) -> Sum:
        distance, same = self.shift - lower.shift, self.sign == lower.sign
        above = self.value << distance
        total = above + lower.value if same else above - lower.value
        parts = (self.adders, lower.adders, distance, same)
        bits = len(total) - (distance if same else 0)  # nothing is added to the low ones
        return Sum(total, lower.shift, self.sign, (*self.adders, *lower.adders, (parts, bits)))

    @property
    def number(self) -> Value:
        shifted = self.value << self.shift
        return -shifted if self.sign < 0 else shifted


def product_bits(width: int, m: int) -> int:
    """Bits of the adders of a product of m with a signed number of `width` bits."""
    return sum(dict(adder for part in sums(Signal(signed(width)), m) for adder in part.adders).values())


def sums(x: Value, m: int) -> list[Sum]:
    """Sums of up to TERMS shifted copies of x that make m * x together."""
    terms = [Sum(x, exponent, sign) for exponent, sign in signed_digits(m)]
    found = []
    for k in range(0, len(terms), TERMS):
        group = terms[k : k + TERMS]
        while len(group) > 1:
            pairs = [group[j : j + 2] for j in range(0, len(group), 2)]
            group = [pair[0] + pair[1] if len(pair) > 1 else pair[0] for pair in pairs]
        found += group
    return found or [Sum(Const(0, 1), 0, 1)]
