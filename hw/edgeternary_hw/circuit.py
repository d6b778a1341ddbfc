"""A combinational circuit of whole numbers: what a run of wired layers is made of.

A `Circuit` is a list of nodes. A node is an integer with an exact interval [lo, hi], from which its bits
follow; its arguments are nodes before it. Equal nodes are made once, and what is constant folds away. Kinds:

    input    `width` bits of the payload from bit `first` on, two's complement where `signed`
    const    a number
    add      (a << sa) + (b << sb) + carry, or (a << sa) - (b << sb) - carry; the carry is a bit, or missing
    ge       (a << sa) >= (b << sb)
    table    a bit out of up to six: bit sum_k bits[k] << k of a number
    word     the number that bits make, the lowest first
    count    how many of some bits are set
    tally    a + how many of some bits are set: at most six, of which the last comes in as a carry
    select   a where a bit is set, else b
    shift    a number >> s, rounded down
    clamp    a number, or the end of an interval that is next to it
    bit      bit k of a number's two's complement

Numbers between layers are of type `Number`: coefficients times nodes, and a constant. A +1/-1 out of a bit
b is 2 b - 1 and a ternary one out of two bits is p - n, without a gate. `node` makes a node of a Number,
`reached` compares it. What else knows of circuits:

    edgeternary_hw.fabric     the delay and the LUTs of a node
    edgeternary_hw.stages     the pipeline: which node is computed in which stage
    edgeternary_hw.wired      the component `Wired`, and the Amaranth expression of a node
    edgeternary.hdl.part      layers: `WiredLayer.nodes` makes the Numbers of an op out of those of its input
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .signed_digits import signed_digits

__all__ = ["Circuit", "Node", "Number", "bits_of", "total"]


@dataclass(frozen=True)
class Node:
    """A number in [lo, hi]; args are indices of nodes before it, data the constants of its kind."""

    kind: str
    args: tuple[int, ...]
    data: tuple[int, ...]
    lo: int
    hi: int

    @property
    def signed(self) -> bool:
        return self.lo < 0

    @property
    def width(self) -> int:
        return bits_of(self.lo, self.hi)


@dataclass(frozen=True)
class Number:
    """The number: sum of coefficient * node over `terms`, pairs (node, coefficient), and a constant."""

    terms: tuple[tuple[int, int], ...] = ()
    constant: int = 0

    def times(self, factor: int) -> "Number":
        return total([(factor, self)])


def total(parts: Iterable[tuple[int, Number]], constant: int = 0) -> Number:
    """The sum of factor * number over `parts`, and a constant; each node occurs once."""
    terms: dict[int, int] = {}
    for factor, number in parts:
        constant += factor * number.constant
        for n, c in number.terms:
            terms[n] = terms.get(n, 0) + factor * c
    return Number(tuple((n, c) for n, c in sorted(terms.items()) if c), constant)


def bits_of(lo: int, hi: int) -> int:
    """Bits that hold every number in [lo, hi]: two's complement where some are negative."""
    if lo >= 0:
        return max(hi.bit_length(), 1)
    return max((~lo).bit_length(), max(hi, 0).bit_length()) + 1


@dataclass(eq=False)
class Circuit:
    """Nodes in an order in which arguments come first.

    fabric  the name of the one that it is for, see edgeternary_hw.fabric
    layers  the numbers that each layer gives, by its name: they keep names of their own in the hardware
    """

    fabric: str = "ice40"
    nodes: list[Node] = field(default_factory=list)
    layers: dict[str, list[Number]] = field(default_factory=dict)
    _known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def interval(self, number: Number) -> tuple[int, int]:
        """[lo, hi] of a Number, out of those of its terms."""
        lo = hi = number.constant
        for n, c in number.terms:
            ends = (c * self.nodes[n].lo, c * self.nodes[n].hi)
            lo, hi = lo + min(ends), hi + max(ends)
        return lo, hi

    def input(self, first: int, width: int, signed: bool = False) -> int:
        half = 1 << (width - 1)
        lo, hi = (-half, half - 1) if signed else (0, 2 * half - 1)
        return self._node("input", (), (first, width, int(signed)), lo, hi)

    def const(self, number: int) -> int:
        return self._node("const", (), (number,), number, number)

    def add(
        self, a: int, b: int, sa: int = 0, sb: int = 0, minus: bool = False, carry: int | None = None
    ) -> int:
        """(a << sa) + (b << sb) + carry, or (a << sa) - (b << sb) - carry."""
        x, y, c = self.nodes[a], self.nodes[b], None if carry is None else self.nodes[carry]
        if c and c.kind == "const":
            b = self.add(b, self.const(c.lo), sb) if c.lo else b
            return self.add(a, b, sa, 0 if c.lo else sb, minus)
        sign = -1 if minus else 1
        if x.kind == y.kind == "const" and c is None:
            return self.const((x.lo << sa) + sign * (y.lo << sb))
        if y.kind == "const" and y.lo == 0 and c is None and sa == 0:
            return a
        if x.kind == "const" and x.lo == 0 and c is None and sb == 0 and not minus:
            return b
        if a == b and sa == sb and minus and c is None:
            return self.const(0)
        if not minus and (sb, b) < (sa, a):
            a, b, sa, sb, x, y = b, a, sb, sa, y, x
        ends = (y.lo << sb, (y.hi << sb) + (c.hi if c else 0))
        lo, hi = ((x.lo << sa) - ends[1], (x.hi << sa) - ends[0]) if minus else (
            (x.lo << sa) + ends[0], (x.hi << sa) + ends[1]
        )  # fmt: skip
        args = (a, b) if carry is None else (a, b, carry)
        return self._node("add", args, (sa, sb, int(minus)), lo, hi)

    def ge(self, a: int, b: int, sa: int = 0, sb: int = 0) -> int:
        """The bit (a << sa) >= (b << sb)."""
        x, y = self.nodes[a], self.nodes[b]
        sa, sb = sa - min(sa, sb), sb - min(sa, sb)
        if x.lo << sa >= y.hi << sb:
            return self.const(1)
        if x.hi << sa < y.lo << sb:
            return self.const(0)
        if y.kind == "const":
            limit = -(-(y.lo << sb) >> sa)
            if (x.lo, x.hi) == (0, 1):
                return a  # limit is 1
            if x.kind == "word" and len(x.args) <= 6:
                return self.table(x.args, sum(1 << row for row in range(limit, 1 << len(x.args))))
            return self._node("ge", (a, self.const(limit)), (0, 0), 0, 1)
        if x.kind == "const":
            return self.invert(self.ge(b, self.const(((x.lo << sa) >> sb) + 1)))
        return self._node("ge", (a, b), (sa, sb), 0, 1)

    def invert(self, bit: int) -> int:
        return self.table((bit,), 1)

    def table(self, bits: Sequence[int], table: int) -> int:
        """Bit sum_k bits[k] << k of `table`; constant, equal and unused bits are taken out."""
        free = sorted({b for b in bits if self.nodes[b].kind != "const"})
        rows = []
        for row in range(1 << len(free)):
            pins = [row >> free.index(b) & 1 if b in free else self.nodes[b].lo for b in bits]
            rows.append(table >> sum(pin << k for k, pin in enumerate(pins)) & 1)
        return self._reduced(free, rows)

    def _reduced(self, bits: list[int], rows: list[int]) -> int:
        for k in range(len(bits)):
            low = [rows[r] for r in range(len(rows)) if not r >> k & 1]
            if low == [rows[r] for r in range(len(rows)) if r >> k & 1]:
                return self._reduced(bits[:k] + bits[k + 1 :], low)
        if not bits:
            return self.const(rows[0])
        if rows == [0, 1]:
            return bits[0]
        if len(bits) == 1 and self.nodes[bits[0]].kind == "table":  # the inverse of a table is a table
            inner = self.nodes[bits[0]]
            return self.table(inner.args, inner.data[0] ^ ((1 << (1 << len(inner.args))) - 1))
        number = sum(value << r for r, value in enumerate(rows))
        return self._node("table", tuple(bits), (number,), 0, 1)

    def count(self, bits: Sequence[int]) -> int:
        """How many of the bits are set; a bit may occur several times."""
        fixed = sum(self.nodes[b].lo for b in bits if self.nodes[b].kind == "const")
        free = sorted(b for b in bits if self.nodes[b].kind != "const")
        if not free:
            return self.const(fixed)
        found = free[0] if len(free) == 1 else self._node("count", tuple(free), (), 0, len(free))
        return self.add(found, self.const(fixed)) if fixed else found

    def tally(self, a: int, bits: Sequence[int]) -> int:
        """a + how many of up to six bits are set, where a >= 0 and none of the bits is constant."""
        x = self.nodes[a]
        return self._node("tally", (a, *bits), (), x.lo, x.hi + len(bits))

    def select(self, bit: int, a: int, b: int) -> int:
        """a where the bit is set, else b."""
        node, x, y = self.nodes[bit], self.nodes[a], self.nodes[b]
        if node.kind == "const":
            return a if node.lo else b
        if a == b:
            return a
        if max(x.hi, y.hi) <= 1 and min(x.lo, y.lo) >= 0:
            return self.table((bit, a, b), 0b11011000)
        return self._node("select", (bit, a, b), (), min(x.lo, y.lo), max(x.hi, y.hi))

    def shift(self, a: int, s: int) -> int:
        """a >> s, rounded down."""
        x = self.nodes[a]
        if x.kind == "const" or not s:
            return self.const(x.lo >> s) if s else a
        lo, hi = x.lo >> s, x.hi >> s
        return self.const(lo) if lo == hi else self._node("shift", (a,), (s,), lo, hi)

    def clamp(self, a: int, lo: int, hi: int) -> int:
        """The number in [lo, hi] that is nearest to a."""
        x = self.nodes[a]
        if lo <= x.lo and x.hi <= hi:
            return a
        ends = max(lo, min(x.lo, hi)), min(hi, max(x.hi, lo))
        return self.const(ends[0]) if ends[0] == ends[1] else self._node("clamp", (a,), (lo, hi), *ends)

    def bit(self, a: int, k: int) -> int:
        """Bit k of a number's two's complement."""
        x = self.nodes[a]
        if x.kind == "const":
            return self.const(x.lo >> k & 1)
        if k >= x.width:
            return self.bit(a, x.width - 1) if x.signed else self.const(0)
        if x.width == 1 and not x.signed:
            return a
        if x.kind == "word":
            return x.args[k]
        return self._node("bit", (a,), (k,), 0, 1)

    def word(self, bits: Sequence[int], lo: int = 0, hi: int = -1) -> int:
        """The number that bits make, the lowest first, where it is known to be in [lo, hi]."""
        while len(bits) > 1 and self.nodes[bits[-1]] == self.nodes[self.const(0)]:
            bits = bits[:-1]
        if all(self.nodes[b].kind == "const" for b in bits):
            return self.const(sum(self.nodes[b].lo << k for k, b in enumerate(bits)))
        whole = (1 << len(bits)) - 1
        if len(bits) == 1:
            return bits[0]
        return self._node("word", tuple(bits), (), lo, min(hi, whole) if hi >= 0 else whole)

    def node(self, value: Number) -> int:
        """A Number as one node: a balanced tree over its terms, those with few bits first."""
        terms = [(n, shift, digit) for n, c in value.terms for shift, digit in signed_digits(c)]
        level = [(n, s, d) for n, s, d in sorted(terms, key=lambda t: (t[2] < 0, self._high(t), t))]
        if value.constant:
            level.append((self.const(abs(value.constant)), 0, 1 if value.constant > 0 else -1))
        while len(level) > 1:
            pairs = [self._both(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
            level = sorted([*pairs, *level[len(level) - len(level) % 2 :]], key=self._high)
        if not level:
            return self.const(0)
        n, shift, digit = level[0]
        return n if (shift, digit) == (0, 1) else self.add(self.const(0), n, 0, shift, digit < 0)

    def _high(self, term: tuple[int, int, int]) -> int:
        return self.nodes[term[0]].width + term[1]

    def _both(self, a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
        """The sum of two terms (node, shift, sign)."""
        if a[2] < b[2]:
            a, b = b, a
        (x, sx, sign), (y, sy, other) = a, b
        low = min(sx, sy)
        return self.add(x, y, sx - low, sy - low, sign != other), low, sign

    def reached(self, value: Number, t: int) -> int:
        """The bit value >= t; terms that are subtracted are on the other side."""
        lo, hi = self.interval(value)
        if lo >= t or hi < t:
            return self.const(int(lo >= t))
        common = math.gcd(*(c for _, c in value.terms))
        rest = -(-(t - value.constant) // common)  # of the terms over `common`
        plus = tuple((n, c // common) for n, c in value.terms if c > 0)
        minus = tuple((n, -c // common) for n, c in value.terms if c < 0)
        if not plus:  # minus <= -rest
            return self.invert(self.ge(self.node(Number(minus)), self.const(1 - rest)))
        a, sa = self._shifted(Number(plus))
        if not minus:
            return self.ge(a, self.const(rest), sa)
        b, sb = self._shifted(Number(minus, rest))
        return self.ge(a, b, sa, sb)

    def _shifted(self, value: Number) -> tuple[int, int]:
        """(node, shift) of a Number: a term alone needs no node for its power of two."""
        if len(value.terms) == 1 and not value.constant:
            ((n, c),) = value.terms
            if c & (c - 1) == 0:
                return n, c.bit_length() - 1
        return self.node(value), 0

    def live(self, roots: Sequence[int]) -> list[int]:
        """The nodes that some roots depend on, themselves included, in order."""
        reached, stack = set(roots), list(roots)
        while stack:
            for a in self.nodes[stack.pop()].args:
                if a not in reached:
                    reached.add(a)
                    stack.append(a)
        return sorted(reached)

    def again(self, node: Node, args: tuple[int, ...]) -> int:
        """A node of another circuit with arguments of this one."""
        return self._node(node.kind, args, node.data, node.lo, node.hi)

    def _node(self, kind: str, args: tuple[int, ...], data: tuple[int, ...], lo: int, hi: int) -> int:
        key = (kind, args, data)
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(Node(kind, args, data, lo, hi))
        return self._known[key]
