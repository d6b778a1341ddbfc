"""Multi-threshold activation: y = base[c] + step[c] * count(x >= t[c][k])."""

from collections.abc import Sequence
from functools import cached_property

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.utils import ceil_log2

from .element import Element, lanes, resize
from .stage import Memories, MemorySize, Streams, counter, later, mapped, rom, table

__all__ = ["MODES", "Threshold"]

MODES = ("parallel", "tree", "serial")


class Threshold(Memories, Streams):
    """`lanes` channels a beat; `thresholds` is channels x K, sorted; `base` and `step` (-2..2) one a channel.

    Thresholds that no input reaches may be any number above the largest input. `mode`:

    parallel  K comparators a lane, a beat a cycle
    tree      binary search, a stage (comparator and table) for each bit of the count; a beat a cycle
    serial    binary search with one comparator a lane; `interval` cycles a beat, with `kept` a cycle more for
              each bit of the count, in which a threshold is kept before it is compared with
    """

    def __init__(
        self,
        thresholds: Sequence[Sequence[int]],
        base: Sequence[int],
        step: Sequence[int],
        source: Element,
        target: Element,
        *,
        lanes: int,
        mode: str = "parallel",
        kept: bool = False,
    ) -> None:
        if len(base) % lanes:
            raise ValueError(f"{lanes} lanes do not divide {len(base)} channels")
        if mode not in MODES:
            raise ValueError(f"mode {mode!r} is not one of {', '.join(MODES)}")
        self.thresholds = [[int(t) for t in row] for row in thresholds]
        self.source, self.target, self.lanes, self.mode = source, target, lanes, mode
        self.kept = kept
        self.groups = len(base) // lanes
        pairs = [(int(b), int(s)) for b, s in zip(base, step, strict=True)]
        self.kinds = sorted(set(pairs))  # the different (base, step)
        self.kind_of = [self.kinds.index(pair) for pair in pairs]
        self.levels = len(self.thresholds[0]).bit_length()  # bits of the count
        super().__init__(i=lanes * source.width, o=lanes * target.width)

    @property
    def interval(self) -> int:
        """Cycles a beat takes."""
        return (2 + self.kept) * self.levels + 2 if self.mode == "serial" else 1

    def keeps(self, name: str) -> bool:
        return name != "kinds" and (self.kept or self.mode != "serial")

    @property
    def kept_levels(self) -> int:
        """Levels of a tree whose thresholds are kept before they are compared with."""
        names = ([f"level{n}_{k}" for k in range(self.lanes)] for n in range(self.levels))
        return sum(any(map(self.after, level)) for level in names)

    @cached_property
    def threshold_bits(self) -> int:
        """Bits of a threshold as stored, two's complement where one is negative."""
        every = [t for row in self._padded() for t in row]
        return max(max(every).bit_length(), (-min(every) - 1).bit_length() if min(every) < 0 else 0, 1) + (
            min(every) < 0
        )

    @property
    def kind_bits(self) -> int:
        return ceil_log2(len(self.kinds)) if len(self.kinds) > 1 else 0

    @property
    def memories(self) -> dict[str, MemorySize]:
        """Of those whose words differ; the levels of a tree and the lanes of a search have one each."""
        found = {}
        if self.mode == "parallel":
            same = (
                len({(tuple(row), kind) for row, kind in zip(self.thresholds, self.kind_of, strict=True)})
                == 1
            )
            width = (self.threshold_bits * len(self.thresholds[0]) + self.kind_bits) * self.lanes
            if self.groups > 1 and not same:
                found["table"] = MemorySize(self.groups, width)
            return found
        for k in range(self.lanes):
            for level in range(self.levels) if self.mode == "tree" else [self.levels]:
                if (depth := self.groups << level) > 1:
                    name = f"level{level}_{k}" if self.mode == "tree" else f"nodes{k}"
                    found[name] = MemorySize(depth, self.threshold_bits)
        if self.kind_bits and self.groups > 1:
            found["kinds"] = MemorySize(self.groups, self.kind_bits * self.lanes)
        return found

    def contents(self, name: str) -> list[int] | None:
        if name == "table":
            return self._table_words()
        if name == "kinds":
            return self._kind_words()
        level, _, lane = name.removeprefix("level").removeprefix("nodes").rpartition("_")
        return self._level_words(int(level), int(lane)) if level else self._heap_words(int(lane))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        {"parallel": self._parallel, "tree": self._tree, "serial": self._serial}[self.mode](m)
        return m

    def _padded(self) -> list[list[int]]:
        """Thresholds of each channel, filled up to 2^levels - 1 with one that no input reaches."""
        if self.mode == "parallel":
            return self.thresholds
        missing = (1 << self.levels) - 1 - len(self.thresholds[0])
        beyond = 1 << (self.source.width - (self.source.kind in ("signed", "ternary", "bipolar")))
        return [row + [beyond] * missing for row in self.thresholds]

    def _reached(self, code: Value, threshold: Value) -> Value:
        """x >= t."""
        negative = any(t < 0 for row in self.thresholds for t in row)
        return self.source.number(code) >= (threshold.as_signed() if negative else threshold)

    def _parallel(self, m: Module) -> None:
        """Compare with all thresholds, then count."""
        size, bits = self.threshold_bits, len(self.thresholds[0])
        per_lane = size * bits + self.kind_bits

        def compare(payload: Value, words: Value) -> Value:
            found = []
            for code, own in zip(lanes(payload, self.lanes), lanes(words, self.lanes), strict=True):
                found += [self._reached(code, own[k * size : (k + 1) * size]) for k in range(bits)]
                found += [own[size * bits :]]
            return Cat(*found)

        def count(payload: Value) -> Value:
            found = []
            for own in lanes(payload, self.lanes):
                found.append(self._code(sum(own[:bits], Const(0, 1)), own[bits:]))
            return Cat(*found)

        words = self._table_words()
        width = per_lane * self.lanes
        mapped(m, self, words, width, compare, count)

    def _table_words(self) -> list[int]:
        """For the lanes of each group: thresholds, then the kind."""
        size, bits = self.threshold_bits, len(self.thresholds[0])
        per_lane, mask = size * bits + self.kind_bits, (1 << size) - 1
        fields = [
            self.kind_of[c] << (size * bits) | sum((t & mask) << (k * size) for k, t in enumerate(row))
            for c, row in enumerate(self.thresholds)
        ]
        groups = [fields[g : g + self.lanes] for g in range(0, len(fields), self.lanes)]
        return [sum(field << (k * per_lane) for k, field in enumerate(group)) for group in groups]

    def _code(self, count: Value, kind: Value) -> Value:
        """The output code of a count: base + step * count of the channel's kind."""
        found = []
        for base, step in self.kinds:
            size = {0: Const(0, 1), 1: count, 2: count << 1}[abs(step)]
            found.append(self.target.code(resize_signed(base + (size if step > 0 else -size))))
        result = found[0]
        for k, code in enumerate(found[1:], 1):
            result = Mux(kind == k, code, result)
        return result

    def _level_words(self, level: int, lane: int) -> list[int]:
        """Thresholds of one level of the search: [group][bits found so far]."""
        step = 1 << (self.levels - level)
        mask = (1 << self.threshold_bits) - 1
        rows = self._padded()[lane :: self.lanes]
        return [row[p * step + step // 2 - 1] & mask for row in rows for p in range(1 << level)]

    def _kind_words(self) -> list[int]:
        rows = [self.kind_of[g * self.lanes : (g + 1) * self.lanes] for g in range(self.groups)]
        return [sum(kind << (k * self.kind_bits) for k, kind in enumerate(row)) for row in rows]

    def _kind_table(self, m: Module, accept: Value) -> Value:
        width = max(self.kind_bits * self.lanes, 1)
        return table(m, self._kind_words(), width, accept, "kinds", self.place("kinds"))

    def _tree(self, m: Module) -> None:
        """For each bit of the count a table look-up, addressed by the channel and the bits before, and a
        comparison; all stages move together."""
        move = Signal()
        m.d.comb += [move.eq(~self.o.valid | self.o.ready), self.i.ready.eq(move)]
        accept = self.i.valid & self.i.ready
        group, _ = counter(m, self.groups, accept, "group")
        kinds = self._kind_table(m, accept)
        x, place, counts = self.i.payload, group, [Const(0, 0)] * self.lanes
        stages = 0
        for level in range(self.levels):
            names = [f"level{level}_{k}" for k in range(self.lanes)]
            words = []
            for k, name in enumerate(names):
                values = self._level_words(level, k)
                address = Cat(counts[k], place)
                words.append(rom(m, values, self.threshold_bits, address, move, name, self.place(name)))
            x, place, *counts = later(m, move, f"look{level}", x, place, *counts)
            if level:
                (kinds,) = later(m, move, f"look_kind{level}", kinds)
            if any(map(self.after, names)):
                words = later(m, move, f"threshold{level}", *words)
                x, place, kinds, *counts = later(m, move, f"kept{level}", x, place, kinds, *counts)
                stages += 1
            bits = [self._reached(c, t) for c, t in zip(lanes(x, self.lanes), words, strict=True)]
            counts = [Cat(bit, count) for bit, count in zip(bits, counts, strict=True)]
            stages += 1
            if level < self.levels - 1:
                x, place, kinds, *counts = later(m, move, f"found{level}", x, place, kinds, *counts)
                stages += 1
        valid = Signal(stages)
        with m.If(move):
            m.d.sync += [valid.eq(Cat(self.i.valid, valid)), self.o.valid.eq(valid[-1])]
            m.d.sync += self.o.payload.eq(
                Cat(*(self._code(c, k) for c, k in zip(counts, self._kinds(kinds), strict=True)))
            )

    def _kinds(self, word: Value) -> list[Value]:
        return lanes(word, self.lanes) if self.kind_bits else [Const(0, 1)] * self.lanes

    def _serial(self, m: Module) -> None:
        """One comparator: a look-up and a comparison for each bit of the count, in turn."""
        x = Signal.like(self.i.payload, name="x", reset_less=True)
        busy, compare = Signal(), Signal()
        accept = Signal()
        m.d.comb += [self.i.ready.eq(~busy), accept.eq(self.i.valid & ~busy)]
        group, _ = counter(m, self.groups, self.o.valid & self.o.ready, "group")
        kinds = self._kind_table(m, accept)
        _, last = counter(m, self.levels, compare, "turn")
        nodes = [Signal(self.levels + 1, name=f"node{k}", init=1) for k in range(self.lanes)]
        for k, (node, code) in enumerate(zip(nodes, lanes(x, self.lanes), strict=True)):
            look = ~compare & busy
            name, address = f"nodes{k}", Cat(node[:-1], group)
            word = rom(m, self._heap_words(k), self.threshold_bits, address, look, name, self.place(name))
            if self.kept:
                (word,) = later(m, Const(1), name, word)
            with m.If(accept):
                m.d.sync += node.eq(1)
            with m.Elif(compare):
                m.d.sync += node.eq(Cat(self._reached(code, word), node))
        look = busy & ~compare & ~self.o.valid
        if self.kept:
            looked = Signal()
            m.d.sync += [looked.eq(look & ~looked), compare.eq(looked)]
        else:
            m.d.sync += compare.eq(look)
        with m.If(accept):
            m.d.sync += [busy.eq(1), x.eq(self.i.payload)]
        with m.If(compare & last):
            m.d.sync += self.o.valid.eq(1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), busy.eq(0)]
        codes = [self._code(n[:-1], k) for n, k in zip(nodes, self._kinds(kinds), strict=True)]
        m.d.comb += self.o.payload.eq(Cat(*codes))

    def _heap_words(self, lane: int) -> list[int]:
        """All levels as one table: [group][node], the root is node 1, its children 2 and 3."""
        size = 1 << self.levels
        words = [0] * (self.groups * size)
        for level in range(self.levels):
            for at, value in enumerate(self._level_words(level, lane)):
                group, p = divmod(at, 1 << level)
                words[group * size + (1 << level) + p] = value
        return words


def resize_signed(number: Value | int) -> Value:
    """A small number as a signed value of its own width."""
    value = Value.cast(number)
    return resize(value, len(value) + 1).as_signed()
