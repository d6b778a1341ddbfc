"""Matrix-vector unit: folded dot products of a stream with a constant matrix, without a multiplier.

Every weight is split into bit planes with entries in {-1, 0, +1} and every input x into bits of an unsigned u
(x = scale * u + offset, see Element). A weight of +1 lets a bit pass, -1 inverts it, 0 blocks it, so that
    sum(w * x) = scale * (sum_jk 2^(j+k) popcount_jk - (2^width - 1) sum_j 2^j negatives_j) + offset * sum(w)
and everything but the popcounts is a constant of the row. For bipolar x bipolar this is XNOR and popcount.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring

from .compress import Segment, Shape, addends, compress, single
from .element import Element, lanes, resize, signed_bits
from .fifo import Skid
from .planes import WeightPlanes
from .stage import Memories, MemorySize, Streams, counter, table
from .trits import bytes_of, decoded, pack

__all__ = ["MatrixVector"]


class MatrixVector(Memories, Streams):
    """y[r] = sum_c weights[r][c] * x[c] + bias[r] for `rows` x `columns` weights.

    Whoever tries several foldings of a matrix hands over its WeightPlanes, which do not depend on them.

    A vector comes in as `rows / pe` passes of `columns / simd` beats with `simd` elements each (a Replay or a
    Window repeats it); rows leave in order, `outputs` a beat (a divisor of `pe`), `out_width` bits signed.
    With `own` a beat holds simd columns for each of `pe` rows instead (depthwise convolution), [column][row].
    With `full` a pass takes a cycle where it is one beat and its results leave as one, else two.
    With `raw` the unsigned count of a row leaves in place of y = scale * count + constants[row], as wide as
    `acc_width`: for a reader that takes the constants into its own (thresholds).
    """

    def __init__(
        self,
        weights: Sequence[Sequence[int]] | WeightPlanes,
        bias: Sequence[int],
        element: Element,
        *,
        pe: int,
        simd: int,
        outputs: int,
        out_width: int,
        own: bool = False,
        raw: bool = False,
        full: bool = False,
    ) -> None:
        matrix = weights if isinstance(weights, WeightPlanes) else WeightPlanes(weights)
        self.rows, self.columns = matrix.rows, matrix.columns
        if self.rows % pe or self.columns % simd or pe % outputs:
            raise ValueError(
                f"pe {pe}, simd {simd}, outputs {outputs} do not fold {self.rows} x {self.columns}"
            )
        self.pe, self.simd, self.outputs, self.own = pe, simd, outputs, own
        self.element, self.raw = element, raw
        self.full = full and simd == self.columns and outputs == pe
        self.planes, self._values, self._shapes = matrix.planes, matrix.values, matrix.shapes
        full = (1 << element.width) - 1
        self.constants = [
            int(b) + element.offset * total - element.scale * full * negatives
            for b, total, negatives in zip(bias, matrix.sums, matrix.negatives, strict=True)
        ]
        most = max(1, full * max(matrix.nonzeros))
        self.acc_width = most.bit_length()
        self.out_width = self.acc_width if raw else out_width
        lane_count = pe * simd if own else simd
        super().__init__(i=lane_count * element.width, o=outputs * self.out_width)

    FILLED = ("weights",)
    KEPT = ("weights", "constants")

    @property
    def packed(self) -> bool:
        return self.storage.packed

    @property
    def packable(self) -> bool:
        """Whether its weights are ternary ones: two bits each in the ROM, 1.6 if `packed`."""
        return self._modes() == [(True, True)]

    def words(self, name: str) -> list[int]:
        return self._rom()

    def _modes(self) -> list[tuple[bool, bool]]:
        """Which of (+1, -1) each plane stores: without zeros -1 is the complement of +1."""
        return [(1 in v, -1 in v and (0 in v or 1 not in v)) for v in self._values]

    def one_sided(self, plane: int) -> bool:
        """Whether a term of the plane is a bit of the weights or 0, as its input bit says: the register that
        follows then has a reset, and no LUT in front of it."""
        return not self.own and self._values[plane] in ({0, 1}, {0, -1})

    def _rom(self) -> list[int]:
        """The words as they lie in the ROM."""
        if not self.packed:
            return self._plain_rom
        size = self.pe * self.simd
        return [pack([(w >> k & 1) - (w >> size + k & 1) for k in range(size)]) for w in self._plain_rom]

    @cached_property
    def _plain_rom(self) -> list[int]:
        """Words [plane][+1, -1 as stored][column in beat][row in pe], the last index fastest."""
        stored = [
            (tuple(zip(*plane, strict=True)), sign)
            for plane, mode in zip(self.planes, self._modes(), strict=True)
            for sign, there in zip((1, -1), mode, strict=True)
            if there
        ]
        words = []
        for base in range(0, self.rows, self.pe):
            for first in range(0, self.columns, self.simd):
                bits = [
                    w == sign
                    for columns, sign in stored
                    for column in columns[first : first + self.simd]
                    for w in column[base : base + self.pe]
                ]
                words.append(int("".join("1" if b else "0" for b in reversed(bits)) or "0", 2))
        return words

    @property
    def _rom_width(self) -> int:
        size = self.pe * self.simd
        return 8 * bytes_of(size) if self.packed else sum(map(sum, self._modes())) * size

    def _terms(self, payload: Value, word: Value) -> list[Segment]:
        """The bits to count: input bit where the weight is +1, its complement where -1, else 0."""
        size = self.pe * self.simd
        segments = []
        start = 0
        for j, (has_plus, has_minus) in enumerate(self._modes()):
            plus: Value = Const(0, size)
            minus: Value = Const(0, size)
            if has_plus:
                plus = word[start : start + size]
                start += size
            if has_minus:
                minus = word[start : start + size]
                start += size
            elif -1 in self._values[j]:
                minus = ~plus
            if not has_plus and not has_minus:
                continue
            segments.append(self._plane(j, payload, plus, minus))
        return segments or [Segment(0, 1, 1, self.pe, Const(0, self.pe))]

    def _plane(self, j: int, payload: Value, plus: Value, minus: Value) -> Segment:
        pe = self.pe
        bits = []
        if self.own:
            codes = [self.element.planes(code) for code in lanes(payload, pe * self.simd)]
            for c in range(0, len(codes), pe):
                p, n = (plus, minus) if self.simd == 1 else (plus[c : c + pe], minus[c : c + pe])
                for k in range(self.element.width):
                    column = (code[k] for code in codes[c : c + pe])
                    x = Cat(*(~bit if inverted else bit for bit, inverted in column))
                    bits.append((x & p) | (~x & n))
        else:
            for c, code in enumerate(lanes(payload, self.simd)):
                p, n = plus[c * pe : (c + 1) * pe], minus[c * pe : (c + 1) * pe]
                for bit, inverted in self.element.planes(code):
                    bits.append(Mux(bit, n, p) if inverted else Mux(bit, p, n))
        return Segment(j, self.element.width, self.simd, self.pe, Cat(*bits))

    @property
    def shape(self) -> Shape:
        """The shape of what is counted for a beat, and of its way through the adders."""
        key = (self.pe, self.simd, self.own, self.element)
        if key not in self._shapes:
            size = sum(map(sum, self._modes())) * self.pe * self.simd
            self._shapes[key] = Shape(self._terms(Const(0, len(self.i.payload)), Const(0, size)))
        return self._shapes[key]

    @property
    def total_width(self) -> int:
        """Bits of the sum of a beat's terms."""
        return min(self.acc_width, max(s.high for s in self.shape.final) + 1)

    @property
    def adds_totals(self) -> bool:
        """Whether the full adders leave two numbers, to be added by a stage of their own."""
        return not single(self.shape.final)

    @property
    def beats(self) -> int:
        """Beats of one pass over a vector."""
        return self.columns // self.simd

    @property
    def interval(self) -> int:
        """Cycles a pass takes when nothing waits: its beats, or the results' way out and the hand-over."""
        return 1 if self.full else max(self.beats, self.pe // self.outputs + 1)

    @property
    def depth(self) -> int:
        """Stages from the payload's register to the sum: adders, totals, and one where ROM answers late."""
        early = (self.late or self.packed) and len(set(self._rom())) > 1  # equal words are no ROM
        return len(self.shape.stages) + self.adds_totals + 1 + early

    @property
    def latency(self) -> int:
        """Cycles from the last beat of a pass to the first of its results."""
        return self.depth + 2 + (0 if self.raw else 2) + self.inside

    def contents(self, name: str) -> list[int] | None:
        """Of small ones only: large ones of trained weights have no equal pieces to speak of."""
        size = self.memories[name]
        return self._rom() if name == "weights" and size.depth * size.width <= 1 << 15 else None

    @property
    def memories(self) -> dict[str, MemorySize]:
        found = {}
        width = self._rom_width
        if (depth := self.rows // self.pe * self.beats) > 1 and width:
            found["weights"] = MemorySize(depth, width)
        if not self.raw and len(set(self.constants)) > 1 and self.rows > self.outputs:
            size = max(signed_bits(c) for c in self.constants) * self.outputs
            found["constants"] = MemorySize(self.rows // self.outputs, size)
        return found

    def elaborate(self, platform: object) -> Module:
        """Payload and weights, then the adders' stages, all moved by `go`; sums leave from a shift register.

        `go` is a flip-flop: 0 in the cycles in which a finished sum would overwrite results still waiting.
        """
        m = Module()
        payload = Signal.like(self.i.payload, reset_less=True)
        go, done = Signal(init=1), Signal()
        accept = Signal()
        i = self._entry(m)
        m.d.comb += [i.ready.eq(go), accept.eq(go & i.valid)]
        _, last_beat = counter(m, self.beats, accept, "beat")
        with m.If(go):
            m.d.sync += payload.eq(i.payload)
        later = self.inside and self.style("weights") != "block"  # the register more is before the ROM
        weights = self._weights(m, accept, go if later else None)
        early = not isinstance(weights, Const) and (self.late or self.packed)
        if self.packed:
            weights = Cat(*decoded(weights, self.pe * self.simd))
        if early and later:  # a stage more, in which the ROM's word is kept
            (payload,) = self._kept(m, go, payload)
        elif early:
            payload, weights = self._kept(m, go, payload, weights)
        terms = self._terms(payload, weights)
        segments = compress(m, terms, lambda stage: m.If(go))
        totals = self._totals(m, segments, go)
        depth = len(self.shape.stages) + totals.added + 1 + early
        # bit k travels with stage k: payload, adders, totals; `last` marks the last beat of a pass
        valid, last = Signal(depth), Signal(depth)
        with m.If(go):
            m.d.sync += [valid.eq(Cat(i.valid, valid)[:depth]), last.eq(Cat(last_beat, last)[:depth])]
        finished = valid[-1] & last[-1]
        sums = self._accumulate(m, totals.words, go & valid[-1], finished)
        self._drain(m, sums, go, done, finished)
        return m

    def _entry(self, m: Module) -> Any:
        """The input; where the fabric could be as fast as its wires, after two registers: `go`, which the
        whole part waits for, then ends here, and not in the counters of what comes before."""
        if not self.inside:
            return self.i
        m.submodules.entry = entry = Skid(len(self.i.payload))
        wiring.connect(m, wiring.flipped(self.i), entry.i)
        return entry.o

    def _kept(self, m: Module, go: Value, *values: Value) -> list[Signal]:
        """The values one stage later."""
        found = [Signal(len(value), name=f"kept{k}", reset_less=True) for k, value in enumerate(values)]
        with m.If(go):
            m.d.sync += [kept.eq(value) for kept, value in zip(found, values, strict=True)]
        return found

    def _totals(self, m: Module, segments: list[Segment], go: Signal) -> _Totals:
        """The sum of the beat's terms for each row: the two numbers that full adders leave, added."""
        width = min(self.acc_width, max(s.high for s in segments) + 1)
        numbers = addends(segments, width)
        words = [Signal(len(number), name=f"addend{k}") for k, number in enumerate(numbers)]
        m.d.comb += [word.eq(number) for word, number in zip(words, numbers, strict=True)]
        # out of signals, not of expressions, which a simulator would work out again for every bit
        rows = [
            [Cat(*(word[j * self.pe + r] for j in range(width))) for word in words] for r in range(self.pe)
        ]
        if single(segments):
            return _Totals([first for first, _ in rows], False)
        found = [Signal(width, name=f"total{r}", reset_less=True) for r in range(self.pe)]
        with m.If(go):
            m.d.sync += [total.eq(a + b) for total, (a, b) in zip(found, rows, strict=True)]
        return _Totals(list(found), True)

    def _accumulate(self, m: Module, totals: list[Value], enable: Value, finished: Value) -> list[Signal]:
        """The rows' sums over the beats of a pass; the first beat's totals are loaded, not added.

        One LUT4 a bit on iCE40: load or add, the carry beside it.
        """
        sums = [Signal(self.acc_width, name=f"sum{r}", reset_less=True) for r in range(self.pe)]
        fresh = Signal(init=1)
        with m.If(enable):
            m.d.sync += fresh.eq(finished)
            for acc, total in zip(sums, totals, strict=True):
                m.d.sync += acc.eq(total if self.beats == 1 else Mux(fresh, total, acc + total))
        return sums

    def _weights(self, m: Module, accept: Value, later: Value | None) -> Value:
        """The ROM word that belongs to the beat in `payload`, or with `later` to the one before it."""
        words, width = self._rom(), self._rom_width
        return table(m, words, max(width, 1), accept, "weights", self.place("weights"), later)

    def _drain(self, m: Module, sums: list[Signal], go: Signal, done: Signal, finished: Value) -> None:
        """The results' way out, and `go`."""
        take, done_after = Signal(), Signal()
        if self.full:  # all sums of a pass at once, through two registers: room when `go` ends a cycle late
            m.submodules.rest = rest = Skid(self.pe * self.acc_width)
            m.d.comb += [go.eq(rest.i.ready), rest.i.valid.eq(done), rest.i.payload.eq(Cat(*sums))]
            m.d.comb += [rest.o.ready.eq(take), done_after.eq(Mux(go, finished, done))]
            m.d.sync += done.eq(done_after)
            self._leave(m, lanes(rest.o.payload, self.pe), rest.o.valid, take)
        else:
            self._leave(m, *self._shifted(m, sums, (go, done, done_after, finished), take), take)

    def _shifted(
        self, m: Module, sums: list[Signal], control: tuple[Signal, Signal, Signal, Value], take: Signal
    ) -> tuple[list[Signal], Value]:
        """Finished sums move to a shift register and leave it `outputs` at a time."""
        groups, width = self.pe // self.outputs, self.acc_width
        go, done, done_after, finished = control
        rest = [Signal(width, name=f"rest{r}", reset_less=True) for r in range(self.pe)]
        left = Signal(range(groups + 1))  # beats of `rest` still to be sent
        after = Signal(range(groups + 1))
        capture = go & done
        m.d.comb += [after.eq(Mux(capture, groups, left - take)), done_after.eq(Mux(go, finished, done))]
        m.d.sync += [left.eq(after), done.eq(done_after), go.eq(~done_after | (after == 0))]
        with m.If(capture):
            m.d.sync += [kept.eq(acc) for kept, acc in zip(rest, sums, strict=True)]
        if groups > 1:
            with m.Elif(take):
                m.d.sync += [a.eq(b) for a, b in zip(rest, rest[self.outputs :])]
        return rest[: self.outputs], left != 0

    def _leave(self, m: Module, head: Sequence[Value], there: Value, take: Signal) -> None:
        """Counts, or with the constants of their rows the results."""
        if self.raw:
            m.d.comb += [
                self.o.valid.eq(there),
                self.o.payload.eq(Cat(*head)),
                take.eq(self.o.valid & self.o.ready),
            ]
            return
        picked, waiting = Signal(self.outputs * self.acc_width, reset_less=True), Signal()
        out_free = ~self.o.valid | self.o.ready
        m.d.comb += take.eq(there & (~waiting | out_free))
        constants = self._constants(m, take)
        m.d.sync += [
            waiting.eq(take | (waiting & ~out_free)),
            self.o.valid.eq(waiting | (self.o.valid & ~self.o.ready)),
        ]
        with m.If(take):
            m.d.sync += picked.eq(Cat(*head))
        with m.If(out_free & waiting):
            results = [
                resize((code << (self.element.scale - 1)) + constant, self.out_width)
                for code, constant in zip(lanes(picked, self.outputs), constants, strict=True)
            ]
            m.d.sync += self.o.payload.eq(Cat(*results))

    def _constants(self, m: Module, take: Value) -> list[Value]:
        """The row constants that belong to the results in flight."""
        rows = [self.constants[k : k + self.outputs] for k in range(0, self.rows, self.outputs)]
        width = max(signed_bits(c) for c in self.constants)
        mask = (1 << width) - 1
        words = [sum((c & mask) << (k * width) for k, c in enumerate(row)) for row in rows]
        if len(set(words)) == 1:
            return [Const(c, signed(width)) for c in rows[0]]
        word = table(m, words, width * self.outputs, take, "constants", self.place("constants"))
        return [c.as_signed() for c in lanes(word, self.outputs)]


class _Totals(NamedTuple):
    words: list[Value]
    added: bool  # whether they took a stage of their own
