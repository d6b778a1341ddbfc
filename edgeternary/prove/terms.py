"""Exact values of bits: constants, gates over free bits, and the bits of integers that are sums of such bits.

A bit is a number: 0 and 1 are constants, X is unknown, 2 n is node n and 2 n + 1 its complement. Equal nodes
are one node. A sum is kept as a `Form`, an exact integer; its bits are nodes, and where they are read as a
word again the sum itself is found, if its interval shows that the word holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Bit = int
Word = tuple[Bit, ...]  # least significant first
X = -1
FALSE, TRUE = 0, 1


@dataclass(frozen=True)
class Form:
    """constant + sum of factor * bit over `parts`, bits being nodes that are not complemented."""

    constant: int
    parts: frozenset[tuple[Bit, int]]


class Terms:
    """All nodes of a proof.

    nodes   (kind, ...) by number: in, and, xor, mux, table (its bits as a number, pins), bit (of a form),
            negative (whether a form is below 0)
    range_of  a closer interval of a form than that of independent bits; None: there is none
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[Any, ...]] = [("constant",)]
        self.numbers: dict[tuple[object, ...], int] = {}
        self.range_of: Callable[[Form], tuple[int, int]] | None = None
        self._ranges: dict[Form, tuple[int, int]] = {}
        self._close: dict[Form, tuple[int, int]] = {}

    def node(self, *key: object) -> Bit:
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.nodes)
            self.nodes.append(key)
        return 2 * number

    def free(self, *key: object) -> Bit:
        """A bit that can be 0 and 1, named by `key`."""
        return self.node("in", *key)

    # Gates.

    @staticmethod
    def invert(a: Bit) -> Bit:
        return a if a < 0 else a ^ 1

    def both(self, a: Bit, b: Bit) -> Bit:
        if a > b:
            a, b = b, a
        if a == FALSE or b == FALSE:
            return FALSE
        if a in (TRUE, b):
            return b
        if a < 0:
            return b if b == FALSE else X
        if a ^ b == 1:
            return FALSE
        for one, other in ((a, b), (b, a)):
            if (inner := self.nodes[one >> 1])[0] != "and":
                continue
            _, p, q = inner
            assert isinstance(p, int) and isinstance(q, int)
            if other in (p, q, p ^ 1, q ^ 1):
                if not one & 1:
                    return one if other in (p, q) else FALSE
                return other if other in (p ^ 1, q ^ 1) else self.both(other, (q if other == p else p) ^ 1)
            if one & 1 and other == self.xor_of(p, q) ^ 1:  # neither both nor one of two is none of them
                return self.both(p ^ 1, q ^ 1)
        return self.node("and", a, b)

    def xor_of(self, a: Bit, b: Bit) -> Bit:
        """The node of their difference if it is there already; else -9."""
        turned = (a ^ b) & 1
        a, b = sorted((a & ~1, b & ~1))
        number = self.numbers.get(("xor", a, b))
        return -9 if number is None else 2 * number ^ turned

    def either(self, a: Bit, b: Bit) -> Bit:
        return self.invert(self.both(self.invert(a), self.invert(b)))

    def differ(self, a: Bit, b: Bit) -> Bit:
        if a < 0 or b < 0:
            return X
        turned = (a ^ b) & 1
        a, b = sorted((a & ~1, b & ~1))
        if a == FALSE:
            return b ^ turned
        return turned if a == b else self.node("xor", a, b) ^ turned

    def choose(self, s: Bit, a: Bit, b: Bit) -> Bit:
        """b where s is 1, else a."""
        if s == FALSE or a == b:
            return a
        if s == TRUE:
            return b
        if min(s, a, b) < 0:
            return X
        if s & 1:
            s, a, b = s ^ 1, b, a
        if a < 2 and b < 2:
            return s ^ a
        if a < 2:
            return self.both(s, b) if a == FALSE else self.either(s ^ 1, b)
        if b < 2:
            return self.both(s ^ 1, a) if b == FALSE else self.either(s, a)
        if a ^ b == 1:
            return self.differ(s, a)
        turned = a & 1
        return self.node("mux", s, a ^ turned, b ^ turned) ^ turned

    def all_of(self, bits: Iterable[Bit]) -> Bit:
        found = TRUE
        for bit in bits:
            found = self.both(found, bit)
        return found

    def table(self, bits: Sequence[Bit], rows: Sequence[Bit]) -> Bit:
        """rows[a], constants, where bit k of a is bits[k]: a gate of two bits, a node of more."""
        pins = list(bits)
        rows = list(rows)
        for k in reversed(range(len(pins))):
            low = [row for a, row in enumerate(rows) if not a >> k & 1]
            high = [row for a, row in enumerate(rows) if a >> k & 1]
            same = next((j for j in range(k) if pins[j] & ~1 == pins[k] & ~1), -1)
            if pins[k] < 2 or low == high:
                rows = high if pins[k] == TRUE else low
            elif same >= 0:
                turned = pins[same] ^ pins[k]
                at = [a for a in range(len(low)) if (a >> same & 1) ^ turned]
                rows = [high[a] if a in at else low[a] for a in range(len(low))]
            else:
                if pins[k] & 1:
                    rows = [rows[a ^ 1 << k] for a in range(len(rows))]
                    pins[k] ^= 1
                continue
            del pins[k]
        if len(pins) > 2:
            order = sorted(range(len(pins)), key=lambda k: pins[k])
            moved = [
                rows[sum((a >> place & 1) << k for place, k in enumerate(order))] for a in range(len(rows))
            ]
            number = sum(row << a for a, row in enumerate(moved))
            return self.node("table", number, *(pins[k] for k in order))
        found = rows
        for bit in pins:
            found = [self.choose(bit, a, b) for a, b in zip(found[::2], found[1::2], strict=True)]
        return found[0]

    # Integers.

    def interval(self, form: Form) -> tuple[int, int]:
        """The least and the largest value that it can have, or a wider interval."""
        found = self._ranges.get(form)
        if found is None:
            low = form.constant + sum(f for _, f in form.parts if f < 0)
            high = form.constant + sum(f for _, f in form.parts if f > 0)
            found = self._ranges[form] = low, high
        return found

    def inside(self, form: Form, low: int, high: int) -> bool:
        """Whether all its values lie in low .. high."""
        least, most = self.interval(form)
        if low <= least and most <= high:
            return True
        least, most = self.closely(form)
        return low <= least and most <= high

    def closely(self, form: Form) -> tuple[int, int]:
        """The closest interval that is known."""
        if self.range_of is None:
            return self.interval(form)
        found = self._close.get(form)
        if found is None:
            found = self._close[form] = self.range_of(form)
        return found

    def wrapped(self, form: Form, width: int, low: int) -> Form | None:
        """What `width` bits of a form say that stand for low .. low + 2^width - 1.

        Its values may differ by a multiple of 2^width from that, the same one for all; else None.
        """
        for least, most in (self.interval(form), self.closely(form)):
            turns = (least - low) >> width
            if (most - low) >> width == turns:
                return Form(form.constant - (turns << width), form.parts) if turns else form
        return None

    def word(self, form: Form, width: int) -> Word:
        """Its `width` low bits, two's complement."""
        if not form.parts:
            return constant(form.constant, width)
        zeros = min((f & -f).bit_length() - 1 for _, f in form.parts)
        if zeros:
            low = constant(form.constant, min(zeros, width))
            if zeros >= width:
                return low
            inner = Form(form.constant >> zeros, frozenset((a, f >> zeros) for a, f in form.parts))
            return low + self.word(inner, width - zeros)
        factors = {f: a for a, f in form.parts}
        if form.constant == 0 and len(factors) == len(form.parts) and all(_power(f) for f in factors):
            return tuple(factors.get(1 << k, FALSE) for k in range(width))
        if len(form.parts) == 1 and form.constant == 1 and -1 in factors:
            return (factors[-1] ^ 1,) + (FALSE,) * (width - 1)
        odd = [bit for bit, f in form.parts if f & 1]
        if len(odd) == 1 and width > 1:  # the low bit is this one, or its complement
            turned = form.constant & 1
            first = Form(turned, frozenset([(odd[0], -1 if turned else 1)]))
            rest = added([(1, form), (-1, first)])
            half = Form(rest.constant >> 1, frozenset((a, f >> 1) for a, f in rest.parts))
            return (odd[0] ^ turned, *self.word(half, width - 1))
        return tuple(self.node("bit", form, k) for k in range(width))

    def number(self, bits: Word, signed: bool) -> Form | None:
        """The integer that a word stands for; None for unknown bits."""
        return self._read(bits if signed else (*bits, FALSE), False)

    def modulo(self, bits: Word) -> Form | None:
        """An integer that is equal to a word modulo 2^(its width); None for unknown bits."""
        return self._read(bits, True)

    def _read(self, bits: Word, modulo: bool) -> Form | None:
        if min(bits) < 0:
            return None
        end = len(bits)
        while end > 1 and bits[end - 1] == bits[end - 2]:
            end -= 1  # an extended sign says nothing more
        modulo = modulo and end == len(bits)
        constant, at = 0, 0
        parts: dict[Bit, int] = {}
        while at < end:
            form, turned, length = self._run(bits, at, end, modulo)
            if form is not None:
                sign = -1 if turned else 1
                constant += sign * form.constant << at
                if turned:
                    constant += ((1 << length) - 1 if at + length < end else -1) << at
                for bit, factor in form.parts:
                    parts[bit] = parts.get(bit, 0) + (sign * factor << at)
                at += length
                continue
            bit, factor = bits[at], 1 << at
            if at == end - 1:
                factor = -factor
            if bit & 1:
                constant, factor = constant + factor, -factor
            if bit > 1:
                parts[bit & ~1] = parts.get(bit & ~1, 0) + factor
            at += 1
        return Form(constant, frozenset((a, f) for a, f in parts.items() if f))

    def _run(self, bits: Word, at: int, end: int, modulo: bool) -> tuple[Form | None, bool, int]:
        """The form whose bits begin at `at`, whether they are complemented, and how many are there."""
        first = bits[at]
        key = self.nodes[first >> 1]
        if key[0] != "bit" or key[2] != 0:
            return None, False, 0
        form = key[1]
        assert isinstance(form, Form)
        length = 1
        while at + length < end and bits[at + length] == self.numbers.get(("bit", form, length), -9) * 2 + (
            first & 1
        ):
            length += 1
        top = at + length == end
        read = form if top and modulo else self.wrapped(form, length, -(1 << length - 1) if top else 0)
        return (read, bool(first & 1), length) if read is not None else (None, False, 0)

    def below(self, form: Form) -> Bit:
        """Whether it is negative."""
        if not form.parts:
            return int(form.constant < 0)
        if self.inside(form, 0, 1 << 62):
            return FALSE
        if self.inside(form, -1 << 62, -1):
            return TRUE
        if len(form.parts) == 1:
            ((bit, factor),) = form.parts
            at0, at1 = int(form.constant < 0), int(form.constant + factor < 0)
            return at0 if at0 == at1 else bit ^ at0
        return self.node("negative", form)

    def support(self, bits: Iterable[Bit]) -> list[Bit]:
        """The free bits that bits depend on, ascending."""
        return [2 * n for n in self.cone(bits) if self.nodes[n][0] == "in"]

    def cone(self, bits: Iterable[Bit], known: Container[Bit] = ()) -> list[int]:
        """The nodes that bits depend on, each after those that it depends on; nothing before `known` ones."""
        found: set[int] = set()
        stack = [bit >> 1 for bit in bits if bit > 1]
        while stack:
            n = stack.pop()
            if n not in found:
                found.add(n)
                if 2 * n not in known:
                    stack += [bit >> 1 for bit in operands(self.nodes[n]) if bit > 1]
        return sorted(found)


def _power(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def constant(value: int, width: int) -> Word:
    """The bits of an integer."""
    return tuple(value >> k & 1 for k in range(width))


def operands(node: Sequence[Any]) -> Iterable[Bit]:
    """The bits that a node is made of."""
    if node[0] in ("and", "xor", "mux"):
        return node[1:]
    if node[0] == "table":
        return node[2:]
    if node[0] in ("bit", "negative"):
        form = node[1]
        assert isinstance(form, Form)
        return (bit for bit, _ in form.parts)
    return ()


def added(terms: Iterable[tuple[int, Form]], offset: int = 0) -> Form:
    """offset + the sum of factor * form."""
    total, parts = offset, dict[Bit, int]()
    for factor, form in terms:
        total += factor * form.constant
        for bit, f in form.parts:
            parts[bit] = parts.get(bit, 0) + factor * f
    return Form(total, frozenset((a, f) for a, f in parts.items() if f))


def of_parts(constant: int, parts: Mapping[Bit, int]) -> Form:
    return Form(constant, frozenset((a, f) for a, f in parts.items() if f))
