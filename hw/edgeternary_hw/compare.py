"""Comparisons with constants, made while numbers come in: only the bits that are used are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from amaranth import Cat, Const, Module, Signal, Value

from .element import Element, lanes
from .stage import Memories, MemorySize, Streams, counter, later, table

__all__ = ["Compare", "at_least"]

TWICE = 2  # comparators with constants may be this many times those whose constants are read from a ROM


def at_least(number: Value, t: int) -> Value:
    """The bit number >= t of an unsigned number, 0 < t < 2^width: a chain from the lowest bit that counts."""
    low = (t & -t).bit_length() - 1
    found: Value = number[low]
    for k in range(low + 1, len(number)):
        found = number[k] & found if t >> k & 1 else number[k] | found
    return found


@dataclass(frozen=True)
class Chain:
    """A comparator of a lane, and the shift register that its bits go into.

    t      the constant, None: the word of each beat names it
    beats  those that are compared, in order
    """

    lane: int
    t: int | None
    beats: tuple[int, ...]


class Compare(Memories, Streams):
    """y[j] = x[source[j]] >= t[j] for vectors x of `channels` numbers, `lanes` a beat; all bits of y leave in
    one beat.

    Each lane has a comparator for each of its constants, or as many as a number has constants at most, which
    then lie in a ROM. Bits that are used go into shift registers; equal ones are kept once.
    """

    KEPT = ("table",)

    def __init__(
        self, element: Element, channels: int, source: Sequence[int], t: Sequence[int], *, lanes: int
    ) -> None:
        self.element, self.channels, self.lanes = element, channels, lanes
        self.beats = channels // lanes
        self.source, self.t = list(source), [_rank(element, limit) for limit in t]
        super().__init__(i=lanes * element.width, o=len(self.source))

    @cached_property
    def used(self) -> list[list[list[int]]]:
        """By lane and beat, the constants that its number is compared with, in the order of numbers."""
        top = 1 << self.element.width
        found: list[list[set[int]]] = [[set() for _ in range(self.beats)] for _ in range(self.lanes)]
        for channel, t in zip(self.source, self.t, strict=True):
            if 0 < t < top:
                found[channel % self.lanes][channel // self.lanes].add(t)
        return [[sorted(one) for one in lane] for lane in found]

    @cached_property
    def chains(self) -> list[Chain]:
        found = []
        for lane, beats in enumerate(self.used):
            constants, most = sorted({t for one in beats for t in one}), max(map(len, beats))
            if len(constants) <= TWICE * most:
                found += [
                    Chain(lane, t, tuple(k for k, one in enumerate(beats) if t in one)) for t in constants
                ]
            else:
                found += [
                    Chain(lane, None, tuple(k for k, one in enumerate(beats) if len(one) > rank))
                    for rank in range(most)
                ]
        return found

    @cached_property
    def places(self) -> list[tuple[int, int] | int]:
        """Of each output, its chain and its place there; 0 or 1 where it is always that."""
        found: list[tuple[int, int] | int] = []
        for channel, t in zip(self.source, self.t, strict=True):
            if not 0 < t < 1 << self.element.width:
                found.append(int(t <= 0))
                continue
            beat, lane = divmod(channel, self.lanes)
            rank = self.used[lane][beat].index(t)
            own = [k for k, chain in enumerate(self.chains) if chain.lane == lane]
            k = next((k for k in own if self.chains[k].t == t), -1)
            k = own[rank] if k < 0 else k
            found.append((k, self.chains[k].beats.index(beat)))
        return found

    @cached_property
    def words(self) -> list[int]:
        """Of each beat, for each chain from the low bits on: whether its bit is kept, and its constant."""
        found = [0] * self.beats
        place = 0
        for k, chain in enumerate(self.chains):
            rank = sum(before.lane == chain.lane for before in self.chains[:k])
            for beat in chain.beats:
                t = 0 if chain.t is not None else self.used[chain.lane][beat][rank]
                found[beat] |= (1 | t << 1) << place
            place += self._bits(chain)
        return found

    @property
    def word_bits(self) -> int:
        return sum(map(self._bits, self.chains))

    def _bits(self, chain: Chain) -> int:
        return 1 if chain.t is not None else 1 + self.element.width

    @property
    def read(self) -> bool:
        """Whether the words differ, so that they are read from a ROM."""
        return any(word != self.words[0] for word in self.words)

    @property
    def kept(self) -> int:
        """Flip-flops that keep bits."""
        return sum(len(chain.beats) for chain in self.chains)

    @property
    def read_bits(self) -> int:
        """Bits of a payload that are read: none below the lowest one that a constant depends on."""
        if any(chain.t is None for chain in self.chains):
            return len(self.i.payload)
        return sum(
            self.element.width - min(((c.t or 0) & -(c.t or 0)).bit_length() - 1 for c in own)
            for lane in range(self.lanes)
            if (own := [c for c in self.chains if c.lane == lane])
        )

    @property
    def memories(self) -> dict[str, MemorySize]:
        return {"table": MemorySize(self.beats, self.word_bits)} if self.read else {}

    def contents(self, name: str) -> list[int] | None:
        return self.words

    @property
    def stages(self) -> int:
        """Clocks from the last beat to the answer."""
        return 1 if self.beats == 1 else 2 + self.read + self.after("table")

    def elaborate(self, platform: object) -> Module:
        m = Module()
        move, o = Signal(), self.o
        m.d.comb += [move.eq(~o.valid | o.ready), self.i.ready.eq(move)]
        value, valid, word = self._word(m, move)
        codes = [_ordered(self.element, code) for code in lanes(value, self.lanes)]
        bits, flags = [], []
        for chain in self.chains:
            size = self._bits(chain)
            flag, t = word[0], word[1:size]
            number = codes[chain.lane]
            bits.append(number >= t if chain.t is None else at_least(number, chain.t))
            flags.append(flag)
            word = word[size:]
        if self.beats == 1:
            with m.If(move):
                m.d.sync += [o.valid.eq(valid), o.payload.eq(self._answer([Cat(bit) for bit in bits]))]
            return m
        there = Signal(name="there")
        bits, flags = later(m, move, "bit", *bits), later(m, move, "used", *flags)
        with m.If(move):
            m.d.sync += there.eq(valid)
        _, last = counter(m, self.beats, move & there, "beat")
        chains = []
        for k, (chain, bit, flag) in enumerate(zip(self.chains, bits, flags, strict=True)):
            kept = Signal(len(chain.beats), name=f"kept{k}", reset_less=True)
            with m.If(move & there & flag):
                m.d.sync += kept.eq(Cat(kept[1:], bit))
            chains.append(kept)
        with m.If(move):
            m.d.sync += o.valid.eq(there & last)
        m.d.comb += o.payload.eq(self._answer(chains))
        return m

    def _word(self, m: Module, move: Value) -> tuple[Value, Value, Value]:
        """The payload, its valid bit and the word of its beat, in one stage."""
        if not self.read:
            return self.i.payload, self.i.valid, Const(self.words[0], self.word_bits)
        word = table(m, self.words, self.word_bits, move & self.i.valid, "table", self.place("table"))
        value, valid = self.i.payload, self.i.valid
        for name in ("read", "again")[: 1 + self.after("table")]:
            if name == "again":
                (word,) = later(m, move, "word", word)
            there, (value,) = Signal(name=f"{name}_valid"), later(m, move, name, value)
            with m.If(move):
                m.d.sync += there.eq(valid)
            valid = there
        return value, valid, word

    def _answer(self, chains: Sequence[Value]) -> Value:
        return Cat(Const(p, 1) if isinstance(p, int) else chains[p[0]][p[1]] for p in self.places)


def _rank(element: Element, t: int) -> int:
    """A constant among the codes as `_ordered` gives them; 0 or less is always reached, 2^width never."""
    if element.kind == "ternary":
        return 4 if t > 1 else (t + 1) + (t > 0)
    if element.kind == "bipolar":
        return (t + 2) // 2
    return t - element.offset


def _ordered(element: Element, code: Value) -> Value:
    """The code as an unsigned number in the order of the numbers."""
    if element.kind == "ternary":
        return Cat(~code[1], code[0])
    return Cat(code[:-1], ~code[-1]) if element.kind == "signed" else code
