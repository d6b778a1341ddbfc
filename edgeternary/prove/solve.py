"""The index of the largest number by SAT: a formula becomes Verilog, and yosys looks for a counterexample.

A formula that compares whole numbers is about these alone, whatever they are made of. Any other one is
written with all free bits that the numbers depend on.
"""

from __future__ import annotations

import re
import time
from itertools import permutations
from math import gcd
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgeternary.errors import TimedOut
from edgeternary.hdl.tools.yosys import yosys
from edgeternary.prove.certificate import PROVEN
from edgeternary.prove.places import Key, Reading
from edgeternary.prove.terms import Bit, Form, Terms, Word, added, operands

if TYPE_CHECKING:
    from edgeternary.prove.layers import Prover

LONGEST = 240  # seconds for a formula that is not about whole numbers alone
SCRIPT = "read_verilog check.v; prep -top check; sat -timeout {seconds} -prove ok 1 -show free check"


class Yosys:
    """Its SAT solver. tool: which yosys"""

    def __init__(self, tool: str) -> None:
        self.tool = tool

    def largest(
        self, prover: Prover, word: Word, reading: Reading, keys: tuple[Key, ...]
    ) -> tuple[str, dict[Key, int] | None]:
        """PROVEN; or "" and numbers for which the formula gives another index; or why neither was found."""
        views = prover.views(keys, word)
        forms = {
            key: _known(prover.places.readings[key].form(prover.terms, view)) for key, view in views.items()
        }
        found = _known(reading.form(prover.terms, word))
        seconds = max(int(prover.deadline - time.monotonic()), 1)
        whole = Numbers(prover, forms)
        if (text := whole.check(found)) is not None:
            log = self._run(text, seconds)
            return _answer(log) or ("", whole.values(_free(log)))
        bits = Bits(prover, forms)
        log = self._run(bits.check(found), min(seconds, LONGEST))
        return _answer(log) or ("", prover.numbers(views, bits.values(_free(log))))

    def _run(self, text: str, seconds: int) -> str:
        with TemporaryDirectory(prefix="edgeternary-") as name:
            Path(name, "check.v").write_text(text, encoding="utf-8")
            script = SCRIPT.format(seconds=seconds)
            try:
                return yosys(
                    script, what="a proof", folder=Path(name), tool=self.tool, timeout=seconds + 10.0
                )
            except TimedOut:
                return ""


def _known(form: Form | None) -> Form:
    assert form is not None
    return form


def _answer(log: str) -> tuple[str, None] | None:
    """What the solver says, None for a counterexample."""
    if "no model found: SUCCESS!" in log:
        return PROVEN, None
    return None if "model found: FAIL!" in log else ("the solver ran out of time", None)


def _free(log: str) -> int:
    row = re.search(r"\\free\s.*\s([01]+)\s*$", log, re.M)
    assert row, log[-1000:]
    return int(row[1], 2)


def _ratios(form: Form, other: Form) -> set[tuple[int, int]]:
    """up / down for which down * form - up * other may have few parts."""
    own = dict(form.parts)
    found = set()
    for bit, factor in other.parts:
        if up := own.get(bit):
            common = gcd(up, factor) * (-1 if factor < 0 else 1)
            found.add((up // common, factor // common))
    return found


class Text:
    """Formulas as the wires of a Verilog module whose input is `free`.

    given  {node: an expression for it}
    """

    def __init__(self, prover: Prover, forms: dict[Key, Form]) -> None:
        self.terms: Terms = prover.terms
        self.places, self.numbers = prover.places, forms
        self.given: dict[int, str] = {}
        self.declared: list[str] = []
        self.widths: dict[str, int] = {}
        self.lines: list[str] = []
        self.names: dict[Form, str] = {}
        self.done: set[int] = set()

    def bit(self, bit: Bit) -> str:
        if bit < 2:
            return f"1'b{bit}"
        found = self.given.get(bit >> 1, f"b{bit >> 1}")
        return f"~({found})" if bit & 1 else found

    def wire(self, name: str, right: str, width: int = 0) -> None:
        """A bit, or a signed number of `width` bits."""
        self.widths[name] = width
        self.declared.append(f"wire signed [{width - 1}:0] {name};" if width else f"wire {name};")
        self.lines.append(f"assign {name} = {right};")

    def write(self, bits: Word) -> None:
        """Writes what some bits depend on."""
        for n in self.terms.cone(bits, {2 * n for n in self.given}):
            if n in self.done or n in self.given:
                continue
            self.done.add(n)
            kind, *rest = self.terms.nodes[n]
            if kind in ("bit", "negative"):
                form = self.sum(rest[0])
                right = f"{form} < 0" if kind == "negative" else f"{form} >>> {rest[1]}"
            elif kind == "table":
                pins = ", ".join(self.bit(bit) for bit in reversed(rest[1:]))
                right = f"{1 << len(rest) - 1}'d{rest[0]} >> {{{pins}}}"
            else:
                a, *others = map(self.bit, rest)
                sign = {"and": "&", "xor": "^"}.get(str(kind))
                right = f"{a} {sign} {others[0]}" if sign else f"{a} ? {others[1]} : {others[0]}"
            self.wire(f"b{n}", right)

    def sum(self, form: Form) -> str:
        """The name of a wire that holds an integer, whose bits are written."""
        if form not in self.names:
            name = self.names[form] = f"f{len(self.names)}"
            low, high = self.terms.interval(form)
            width = max(abs(low), abs(high), 1).bit_length() + 2
            zeros = "{" + f"{width - 1}'b0"
            parts = [f"{f} * $signed({zeros}, {self.bit(bit)}}})" for bit, f in sorted(form.parts)]
            self.wire(name, " + ".join([str(form.constant), *parts]), width)
        return self.names[form]

    def module(self, found: str, names: list[str], legal: list[str], size: int) -> str:
        """Whether an index is that of the largest number, the lowest of equals: the last of those, in turn,
        that are larger than all before. Hardware compares in this order, too, so the solver ends sooner than
        with comparisons of each number with all others."""
        best, index, width = names[0], "0", max(self.widths[x] for x in names)
        for k, x in enumerate(names[1:], 1):
            self.wire(f"larger{k}", f"{x} > {best}")
            self.wire(f"best{k}", f"larger{k} ? {x} : {best}", width)
            index, best = f"larger{k} ? {k} : {index}", f"best{k}"
        body = "\n  ".join(self.declared + self.lines)
        return (
            f"module check(input [{max(size - 1, 0)}:0] free, output ok);\n  {body}\n"
            f"  assign ok = !({' && '.join(legal) or '1'}) || {found} == ({index});\nendmodule\n"
        )


class Bits(Text):
    """The numbers out of the free bits that they are made of."""

    def check(self, found: Form) -> str:
        bits = tuple(bit for form in (found, *self.numbers.values()) for bit, _ in form.parts)
        self.free = self.terms.support(bits)
        self.given = {bit >> 1: f"free[{k}]" for k, bit in enumerate(self.free)}
        self.write(bits)
        names, legal = [], []
        for key, form in self.numbers.items():
            names.append(self.sum(form))
            value = self.places.values[key[0]]
            legal += [f"{names[-1]} >= {value.lo}", f"{names[-1]} <= {value.hi}"]
            own = self.places.words[key]
            if all(bit in self.free or bit < 2 for bit in own):
                for k, part in enumerate(self.places.readings[key].split(own)):
                    word = self.terms.number(part, self.places.readings[key].words[k][2])
                    low, high = self.places.limit(key, k)
                    assert word is not None
                    legal += [f"{self.sum(word)} >= {low}", f"{self.sum(word)} <= {high}"]
        return self.module(self.sum(found), names, legal, len(self.free))

    def values(self, free: int) -> dict[Bit, int]:
        return {bit: free >> k & 1 for k, bit in enumerate(self.free)}


class Numbers(Text):
    """The numbers as integers of their own: a formula may compare them, and take bits of them."""

    def check(self, found: Form) -> str | None:
        """None for a formula that depends on anything else."""
        self.slots: dict[Key, tuple[int, int]] = {}
        size, self.legal = 0, list[str]()
        for k, (key, form) in enumerate(self.numbers.items()):
            low, high = self.terms.closely(form)
            value = self.places.values[key[0]]
            low, high = max(low, value.lo), min(high, value.hi)
            width = max(abs(low), abs(high), 1).bit_length() + 1
            self.slots[key] = size, width
            name = f"x{k}"
            self.wire(name, f"free[{size + width - 1}:{size}]", width)
            self.legal += [f"{name} >= {low}", f"{name} <= {high}"]
            size += width
        stack, seen, beside = [bit >> 1 for bit, _ in found.parts], set[int](), list[Bit]()
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            kind, *rest = self.terms.nodes[n]
            if kind == "in":
                return None
            if kind in ("and", "xor", "mux", "table"):
                stack += [bit >> 1 for bit in operands(self.terms.nodes[n]) if bit > 1]
                continue
            assert isinstance(rest[0], Form)
            whole = self._whole(rest[0])
            if whole is not None:
                self.wire(f"w{n}", whole[0], 40)
                stack += [bit >> 1 for bit in whole[1]]
                self.wire(f"b{n}", f"w{n} < 0" if kind == "negative" else f"w{n}[{rest[1]}]")
                self.given[n] = f"b{n}"
                beside += whole[1]
            else:
                stack += [bit >> 1 for bit, _ in rest[0].parts]
        self.write((*beside, *(bit for bit, _ in found.parts)))
        return self.module(self.sum(found), [f"x{k}" for k in range(len(self.numbers))], self.legal, size)

    def _whole(self, form: Form) -> tuple[str, list[Bit]] | None:
        """A form as what is proportional to a number, or to the difference of two, and bits that are left."""
        forms = list(self.numbers.values())
        sums = [
            (f"x{k} - x{j}", added([(1, one), (-1, other)]))
            for (k, one), (j, other) in permutations(enumerate(forms), 2)
        ]
        sums += [(f"x{k}", one) for k, one in enumerate(forms)]
        best: tuple[int, str, Form, int, int] | None = None
        for text, one in sums:
            for up, down in _ratios(form, one):
                rest = added([(down, form), (-up, one)])
                if len(rest.parts) < len(form.parts) and (best is None or len(rest.parts) < best[0]):
                    best = len(rest.parts), text, rest, up, down
        if best is None:
            return None
        _, text, rest, up, down = best
        if any(self.terms.nodes[bit >> 1][0] == "in" for bit, _ in rest.parts):
            return None
        parts = [f"{f} * $signed({{39'b0, {self.bit(bit)}}})" for bit, f in sorted(rest.parts)]
        whole = " + ".join([f"{up} * ({text})", str(rest.constant), *parts])
        if down > 1:
            self.legal.append(f"({whole}) % {down} == 0")
        return f"({whole}) / {down}", [bit for bit, _ in rest.parts]

    def values(self, free: int) -> dict[Key, int]:
        found = {}
        for key, (at, width) in self.slots.items():
            number = free >> at & ((1 << width) - 1)
            found[key] = number - (number >> width - 1 << width)
        return found
