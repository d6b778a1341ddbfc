"""The numbers of the graph's values as free bits: what the proof of a layer is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeternary.ir import Value
from edgeternary.prove.adders import simple
from edgeternary.prove.evaluate import Column, evaluate
from edgeternary.prove.terms import Bit, Form, Terms, Word, added
from edgeternary_hw import Element

Key = tuple[str, int]  # value and flat index
WIDEST = 20  # bits of a number whose codes are tried one after another
CLOSE = 12  # the same where only an interval is looked for


@dataclass(frozen=True)
class Reading:
    """How bits are read as a number: the sum of factor * word over (factor, bits, signed), and a constant.

    apart  two words of one bit that are never both set
    """

    words: tuple[tuple[int, int, bool], ...]
    constant: int = 0
    apart: bool = False

    @property
    def width(self) -> int:
        return sum(bits for _, bits, _ in self.words)

    def split(self, word: Word) -> list[Word]:
        found, at = [], 0
        for _, bits, _ in self.words:
            found.append(word[at : at + bits])
            at += bits
        return found

    def form(self, terms: Terms, word: Word) -> Form | None:
        """The number of some bits; None where one is unknown."""
        found = []
        for (factor, _, signed), part in zip(self.words, self.split(word), strict=True):
            form = terms.number(part, signed)
            if form is None:
                return None
            found.append((factor, form))
        return added(found, self.constant)

    def numbers(self, bits: Sequence[Column]) -> Column:
        """The numbers of columns of bits; very large for a code that stands for none."""
        total, at = np.full(bits[0].shape if bits else (1,), self.constant, np.int64), 0
        for factor, width, signed in self.words:
            for k in range(width):
                weight = -(1 << k) if signed and k == width - 1 else 1 << k
                total = total + factor * weight * bits[at + k]
            at += width
        return total + (1 << 40) * (bits[0] & bits[1]) if self.apart else total


def of_element(element: Element, gain: int = 1, offset: int = 0) -> Reading:
    """Of a channel of a stream that carries x, its number being gain * x + offset."""
    if element.kind == "bipolar":
        return Reading(((2 * gain, 1, False),), offset - gain)
    if element.kind == "ternary":
        return Reading(((gain, 1, False), (-gain, 1, False)), offset, apart=True)
    return Reading(((gain, element.width, element.kind == "signed"),), offset)


@dataclass(frozen=True)
class Place:
    """The free bits of one number: columns of all values that they can have together."""

    key: Key
    columns: dict[Bit, Column]
    count: int


class Places:
    """All numbers whose bits are free.

    words     the bits of each: free ones, constants, or bits of another number that is the same wire
    limits    of each word of a number, the interval that its formula has been shown to stay in
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.values: dict[str, Value] = {}
        self.readings: dict[Key, Reading] = {}
        self.words: dict[Key, Word] = {}
        self.limits: dict[Key, dict[int, tuple[int, int]]] = {}
        self._cut: dict[Key, dict[int, tuple[Bit, Bit]]] = {}
        self._places: dict[Key, Place | None] = {}
        terms.range_of = self.interval

    def fresh(self, key: Key, reading: Reading) -> Word:
        """Free bits for a whole number."""
        if key not in self.words:
            self.readings[key] = reading
            self.words[key] = tuple(self.terms.free(*key, k) for k in range(reading.width))
        return self.words[key]

    def cut(self, key: Key, at: int, reading: Reading, raw: Bit, seen: Bit | None) -> Bit:
        """A free bit in place of the formula of bit `at`; a constant stays, and what is `seen`."""
        self.readings[key] = reading
        bits = self._cut.setdefault(key, {})
        if at not in bits:
            free = raw if raw < 2 else self.terms.free(*key, at)
            bits[at] = free if seen is None else seen, raw
            if len(bits) == reading.width:
                self.words[key] = tuple(bits[k][0] for k in range(reading.width))
                whole = tuple(bits[k][1] for k in range(reading.width))
                for k, part in enumerate(reading.split(whole)):
                    form = self.terms.number(part, reading.words[k][2])
                    assert form is not None
                    self.limits.setdefault(key, {})[k] = self.terms.closely(form)
        return bits[at][0]

    def form(self, key: Key) -> Form:
        found = self.readings[key].form(self.terms, self.words[key])
        assert found is not None
        return found

    def limit(self, key: Key, k: int) -> tuple[int, int]:
        """The interval of word k of a number."""
        _, width, signed = self.readings[key].words[k]
        whole = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
        return self.limits.get(key, {}).get(k, whole)

    def place(self, key: Key) -> Place | None:
        """All values of a number's free bits; None where there are too many.

        They are those of the value's interval, which the proof of the layer before gives, and of `limits`.
        """
        if key not in self.words:
            return None
        if key not in self._places:
            self._places[key] = self._enumerated(key)
        return self._places[key]

    def _enumerated(self, key: Key) -> Place | None:
        own = [bit for bit in self.words[key] if bit > 1 and self.owner(bit) == key]
        if len(own) > WIDEST:
            return None
        columns = _every(own)
        if any(bit > 1 and bit not in own for bit in self.words[key]):
            return Place(key, columns, 1 << len(own))
        reading, value = self.readings[key], self.values[key[0]]
        bits = evaluate(self.terms, self.words[key], columns, 1 << len(own))
        numbers = reading.numbers(bits)
        legal, at = (numbers >= value.lo) & (numbers <= value.hi), 0
        for k, (_, width, signed) in enumerate(reading.words):
            if limit := self.limits.get(key, {}).get(k):
                part = Reading(((1, width, signed),)).numbers(bits[at : at + width])
                legal &= (part >= limit[0]) & (part <= limit[1])
            at += width
        return Place(key, {bit: column[legal] for bit, column in columns.items()}, int(legal.sum()))

    def owner(self, bit: Bit) -> Key | None:
        """The number that a free bit belongs to."""
        node = self.terms.nodes[bit >> 1]
        return (node[1], node[2]) if node[0] == "in" else None

    def owners(self, bits: Iterable[Bit]) -> list[Key]:
        """The numbers that bits depend on."""
        found = {self.owner(bit): None for bit in self.terms.support(bits)}
        return [owner for owner in found if owner]

    def grouped(self, form: Form) -> tuple[dict[Key, dict[Bit, int]], dict[Bit, int]]:
        """The parts of a form by the one number that they depend on, and those that depend on several."""
        groups: dict[Key, dict[Bit, int]] = {}
        rest: dict[Bit, int] = {}
        for bit, factor in form.parts:
            owner = self.owner(bit)
            if owner is None:
                owners = self.owners([bit])
                owner = owners[0] if len(owners) == 1 else None
            if owner is None:
                rest[bit] = factor
            else:
                groups.setdefault(owner, {})[bit] = factor
        return groups, rest

    def column(self, place: Place, parts: dict[Bit, int]) -> Column:
        """The sum of factor * bit for each value of a number."""
        columns = evaluate(self.terms, list(parts), place.columns, place.count)
        total = np.zeros(place.count, np.int64)
        for factor, column in zip(parts.values(), columns, strict=True):
            total += factor * column
        return total

    def interval(self, form: Form) -> tuple[int, int]:
        """Closer than of independent bits: those of one number belong together."""
        form = simple(self.terms, form)
        groups, rest = self.grouped(form)
        low = form.constant + sum(f for f in rest.values() if f < 0)
        high = form.constant + sum(f for f in rest.values() if f > 0)
        for key, parts in groups.items():
            place = self.place(key) if self.readings[key].width <= CLOSE else None
            if place is None or not place.count:
                low += sum(f for f in parts.values() if f < 0)
                high += sum(f for f in parts.values() if f > 0)
            else:
                found = self.column(place, parts)
                low, high = low + int(found.min()), high + int(found.max())
        return low, high


def _every(bits: Sequence[Bit]) -> dict[Bit, Column]:
    """All combinations of some bits."""
    every = np.arange(1 << len(bits), dtype=np.int64)
    return {bit: every >> k & 1 for k, bit in enumerate(bits)}
