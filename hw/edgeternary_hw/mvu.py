"""Matrix-vector unit: folded dot products of a stream with a constant matrix, without a multiplier.

Every weight is split into bit planes with entries in {-1, 0, +1} and every input x into bits of an unsigned u
(x = scale * u + offset, see Element). A weight of +1 lets a bit pass, -1 inverts it, 0 blocks it, so that
    sum(w * x) = scale * (sum_jk 2^(j+k) popcount_jk - (2^width - 1) sum_j 2^j negatives_j) + offset * sum(w)
and everything but the popcounts is a constant of the row. For bipolar x bipolar this is XNOR and popcount.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .compress import Segment, accumulate, addends, compress, stage_count
from .element import Element, lanes, resize
from .stage import loops, registers, table

__all__ = ["MatrixVector", "weight_planes"]


def weight_planes(weights: Sequence[Sequence[int]]) -> list[list[list[int]]]:
    """Planes j with entries in {-1, 0, +1} so that weights = sum_j 2^j plane_j; one plane up to ternary."""
    flat = [int(w) for row in weights for w in row]
    low, high = min(flat), max(flat)
    if low >= -1 and high <= 1:
        return [[[int(w) for w in row] for row in weights]]
    width = max(int(high).bit_length() + 1, (-low - 1).bit_length() + 1) if low < 0 else high.bit_length()
    planes = [[[(int(w) >> j) & 1 for w in row] for row in weights] for j in range(width)]
    if low < 0:
        planes[-1] = [[-b for b in row] for row in planes[-1]]
    return planes


class MatrixVector(wiring.Component):
    """y[r] = sum_c weights[r][c] * x[c] + bias[r] for `rows` x `columns` weights.

    A vector comes in as `rows / pe` passes of `columns / simd` beats with `simd` elements each (a Replay or a
    Window repeats it); rows leave in order, `outputs` a beat (a divisor of `pe`), `out_width` bits signed.
    With `own` a beat holds one column for each of `pe` rows instead (depthwise convolution): simd is 1.
    """

    def __init__(
        self,
        weights: Sequence[Sequence[int]],
        bias: Sequence[int],
        element: Element,
        *,
        pe: int,
        simd: int,
        outputs: int,
        out_width: int,
        own: bool = False,
    ) -> None:
        self.rows, self.columns = len(weights), len(weights[0])
        if self.rows % pe or self.columns % simd or pe % outputs or (own and simd != 1):
            raise ValueError(
                f"pe {pe}, simd {simd}, outputs {outputs} do not fold {self.rows} x {self.columns}"
            )
        self.pe, self.simd, self.outputs, self.own = pe, simd, outputs, own
        self.element, self.out_width = element, out_width
        self.planes = weight_planes(weights)
        full = (1 << element.width) - 1
        self.constants: list[int] = []
        most = 1
        for r in range(self.rows):
            negatives = sum(plane[r].count(-1) << j for j, plane in enumerate(self.planes))
            total = sum(int(w) for w in weights[r])
            self.constants.append(int(bias[r]) + element.offset * total - element.scale * full * negatives)
            most = max(
                most, full * sum((self.columns - p[r].count(0)) << j for j, p in enumerate(self.planes))
            )
        self.acc_width = most.bit_length()
        lane_count = pe if own else simd
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lane_count * element.width))),
                "o": Out(stream.Signature(unsigned(outputs * out_width))),
            }
        )

    def _modes(self) -> list[tuple[bool, bool]]:
        """Which of (+1, -1) each plane stores: without zeros -1 is the complement of +1."""
        values = [{w for row in plane for w in row} for plane in self.planes]
        return [(1 in v, -1 in v and (0 in v or 1 not in v)) for v in values]

    def _rom(self) -> list[int]:
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
            elif any(w == -1 for row in self.planes[j] for w in row):
                minus = ~plus
            if not has_plus and not has_minus:
                continue
            segments.append(self._plane(j, payload, plus, minus))
        return segments or [Segment(0, 1, 1, self.pe, Const(0, self.pe))]

    def _plane(self, j: int, payload: Value, plus: Value, minus: Value) -> Segment:
        pe = self.pe
        bits = []
        if self.own:
            codes = [self.element.planes(code) for code in lanes(payload, pe)]
            for k in range(self.element.width):
                x = Cat(*(~bit if inverted else bit for bit, inverted in (code[k] for code in codes)))
                bits.append((x & plus) | (~x & minus))
        else:
            for c, code in enumerate(lanes(payload, self.simd)):
                p, n = plus[c * pe : (c + 1) * pe], minus[c * pe : (c + 1) * pe]
                for bit, inverted in self.element.planes(code):
                    bits.append(Mux(bit, n, p) if inverted else Mux(bit, p, n))
        return Segment(j, self.element.width, self.simd, self.pe, Cat(*bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats = self.columns // self.simd
        payload = Signal.like(self.i.payload, reset_less=True)
        accept = self.i.ready & self.i.valid
        terms = self._terms(payload, self._weights(m, accept))
        depth = stage_count(terms)
        state = registers(
            count=(beats - 1, 0),
            valid=((4 << depth) - 1, 0),  # bit k travels with stage k, `last` too
            last=((4 << depth) - 1, 0),
            keep=(1, 0),  # 0: the next sum starts from zero
            left=(self.pe // self.outputs, 0),  # beats of results still to be sent
            lane_valid=(1, 0),
        )
        valid, last = state.valid, state.last
        done = valid[-1] if beats == 1 else valid[-1] & last[-1]
        acc = Signal(2 * self.pe * self.acc_width, reset_less=True)
        self._drain(m, state, acc, done)
        with m.If(self.i.ready):
            m.d.sync += valid.eq(Cat(self.i.valid, valid[:-1]))
            if beats > 1:
                m.d.sync += last.eq(Cat(state.count == beats - 1, last[:-1]))
            with m.If(self.i.valid):
                m.d.sync += payload.eq(self.i.payload)
                loops(m, [(state.count, beats, [])], [])
            segments = compress(m, terms, lambda stage: m.If(valid[stage]))
            total, carry = addends(segments, self.acc_width)
            half = self.pe * self.acc_width
            with m.If(valid[depth]):
                if beats == 1:
                    m.d.sync += acc.eq(Cat(total, carry))
                else:
                    m.d.sync += state.keep.eq(~last[depth])
                    mask = state.keep.as_signed()  # as wide as the sums; folds into the adders' LUTs
                    before = [(part & mask)[:half] for part in (acc[:half], acc[half:])]
                    sums = accumulate(total, carry, *before, self.pe)
                    m.d.sync += acc.eq(Cat(*sums))
        return m

    def _weights(self, m: Module, accept: Value) -> Value:
        """The ROM word that belongs to the beat in `payload`."""
        words = self._rom()
        width = sum(map(sum, self._modes())) * self.pe * self.simd
        return table(m, words, max(width, 1), accept, "weights")

    def _drain(self, m: Module, state: Any, acc: Signal, done: Value) -> None:
        """Results leave the captured sums `outputs` at a time; sum + carry + constant resolve here."""
        groups, width = self.pe // self.outputs, self.acc_width
        captured = Signal.like(acc, reset_less=True)
        sums = Signal(2 * self.outputs * width, reset_less=True)
        half = width * self.pe
        picked = [
            captured[base + j * self.pe + r]
            for r in range(self.outputs)
            for base in (0, half)
            for j in range(width)
        ]
        out_free = ~self.o.valid | self.o.ready
        lane_free = ~state.lane_valid | out_free
        take = Signal()
        m.d.comb += [
            take.eq((state.left != 0) & lane_free),
            self.i.ready.eq(~done | (state.left == 0) | ((state.left == 1) & lane_free)),
        ]
        constants = self._constants(m, take)
        with m.If(take):
            m.d.sync += [state.left.eq(state.left - 1), sums.eq(Cat(*picked))]
            if groups > 1:
                m.d.sync += captured.eq(captured >> self.outputs)
        with m.If(done & self.i.ready):
            m.d.sync += [captured.eq(acc), state.left.eq(groups)]
        m.d.sync += state.lane_valid.eq(take | (state.lane_valid & ~out_free))
        m.d.sync += self.o.valid.eq(state.lane_valid | (self.o.valid & ~self.o.ready))
        with m.If(out_free & state.lane_valid):
            results = []
            for r in range(self.outputs):
                s = sums[2 * r * width : (2 * r + 1) * width]
                c = sums[(2 * r + 1) * width : (2 * r + 2) * width]
                value = (s + c)[:width] << (self.element.scale - 1)
                results.append(resize(value + constants[r], self.out_width))
            m.d.sync += self.o.payload.eq(Cat(*results))

    def _constants(self, m: Module, take: Value) -> list[Value]:
        """The row constants that belong to the results in flight."""
        rows = [self.constants[k : k + self.outputs] for k in range(0, self.rows, self.outputs)]
        width = max(_signed_bits(c) for c in self.constants)
        mask = (1 << width) - 1
        words = [sum((c & mask) << (k * width) for k, c in enumerate(row)) for row in rows]
        if len(set(words)) == 1:
            return [Const(c, signed(width)) for c in rows[0]]
        word = table(m, words, width * self.outputs, take, "constants")
        return [c.as_signed() for c in lanes(word, self.outputs)]


def _signed_bits(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length() + 1
