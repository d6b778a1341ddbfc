"""Sliding window: the taps of every window of a feature map, read from a ring of rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from .stage import loops, ram, registers

__all__ = ["Window"]


class Window(wiring.Component):
    """Input: a `height` x `width` map of `beats` beats a pixel. Output, for every output pixel: for every
    section (the pixel's beats cut into `sections` runs), `passes` times: the beats [ky][kx][beat of section].

    `pad` is (top, left, bottom, right); a tap outside the map is `pad_word`. With `mark` the output carries
    one more bit on top, 1 for such a tap. With `tall` a beat holds the taps of all ky, the topmost in the low
    bits, and the beats run [kx][beat of section]. Rows become free when no later window needs them.
    """

    def __init__(
        self,
        lane_bits: int,
        size: tuple[int, int],
        beats: int,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        pad: tuple[int, int, int, int],
        *,
        pad_word: int = 0,
        sections: int = 1,
        passes: int = 1,
        mark: bool = False,
        tall: bool = False,
    ) -> None:
        self.height, self.width = size
        self.lane_bits, self.beats, self.kernel, self.stride, self.pad = lane_bits, beats, kernel, stride, pad
        self.pad_word, self.sections, self.passes = pad_word, sections, passes
        self.mark, self.taps = mark, kernel[0] if tall else 1
        top, left, bottom, right = pad
        self.out_height = (self.height + top + bottom - kernel[0]) // stride[0] + 1
        self.out_width = (self.width + left + right - kernel[1]) // stride[1] + 1
        if self.out_height < 1 or self.out_width < 1 or beats % sections or (mark and tall):
            raise ValueError(f"window {kernel} with pad {pad} does not fit a map of {size}")
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(lane_bits))),
                "o": Out(stream.Signature(unsigned(self.taps * lane_bits + mark))),
            }
        )

    def rows(self) -> tuple[list[int], list[int]]:
        """For each output row: rows that must be stored (from the oldest kept one), rows that become free."""
        firsts = [min(max(y * self.stride[0] - self.pad[0], 0), self.height) for y in range(self.out_height)]
        firsts.append(self.height)
        ends = [
            min(y * self.stride[0] - self.pad[0] + self.kernel[0], self.height)
            for y in range(self.out_height)
        ]
        free = [after - first for first, after in pairwise(firsts)]
        return [max(end - first, f) for end, first, f in zip(ends, firsts, free, strict=False)], free

    def elaborate(self, platform: object) -> Module:
        m = Module()
        need, frees = self.rows()
        row = self.width * self.beats
        bits = ceil_log2(max(2, (max(need) + max(frees)) * row))
        slots = (1 << bits) // row
        places = self._places()
        state = registers(
            beat=(self.beats // self.sections - 1, 0),
            kx=(self.kernel[1] - 1, 0),
            ky=(self.kernel[0] - 1, 0),
            again=(self.passes - 1, 0),
            section=(self.sections - 1, 0),
            x=(self.out_width - 1, 0),
            y=(self.out_height - 1, 0),
            need=(max(need), need[0]),  # rows that this output row waits for, and that it frees
            frees=(max(frees), frees[0]),
            start=((1 << bits) - 1, self._origin(bits)),  # address of the first tap of the window, of the row
            line=((1 << bits) - 1, self._origin(bits)),
            column=(row - 1, 0),
            stored=(slots, 0),  # rows that came in, and that were freed, modulo 2^n > slots
            freed=(slots, 0),
            outside=((1 << self.taps) - 1, 0),
            **places,
        )
        at = Signal(bits, init=self._origin(bits))
        write_at = Signal(bits)
        send = Signal()
        rows = (state.stored - state.freed)[: len(state.stored)]
        free = ~self.o.valid | self.o.ready
        accept = self.i.ready & self.i.valid
        m.d.comb += [self.i.ready.eq(rows != slots), send.eq(free & (rows >= state.need))]
        reads = [(at + k * row if k else at, send) for k in range(self.taps)]
        reads = [(address[:bits], enable) for address, enable in reads]
        taps = ram(m, self.lane_bits, (write_at, self.i.payload, accept), reads, "ring")
        with m.If(accept):
            m.d.sync += write_at.eq(write_at + 1)
            loops(m, [(state.column, row, [])], [state.stored.eq(state.stored + 1)])
        m.d.sync += self.o.valid.eq(send | (self.o.valid & ~self.o.ready))
        with m.If(send):
            self._step(m, state, at, need, frees)
        outside = Value.cast(state.outside)
        if places:
            with m.If(send):
                m.d.sync += outside.eq(Cat(*(self._outside(state, k) for k in range(self.taps))))
            taps = [Mux(outside[k], self.pad_word, tap) for k, tap in enumerate(taps)]
        m.d.comb += self.o.payload.eq(
            Cat(*taps, outside if places else Const(0, 1)) if self.mark else Cat(*taps)
        )
        return m

    def _origin(self, bits: int) -> int:
        return -(self.pad[0] * self.width + self.pad[1]) * self.beats % (1 << bits)

    def _step(self, m: Module, s: Any, at: Signal, need: list[int], frees: list[int]) -> None:
        """After a tap was read: the counters and the address of the next one."""
        part, pixel, row = self.beats // self.sections, self.beats, self.width * self.beats
        ky = 1 if self.taps > 1 else self.kernel[0]
        across = self.stride[1] * pixel - (self.beats - part)
        down = self.stride[0] * row
        back = (self.height - (self.out_height - 1) * self.stride[0]) * row

        def to(address: Value) -> list[Any]:
            return [at.eq(address), s.start.eq(address)]

        def row_done(step: int, wrap: bool) -> list[Any]:
            statements = [*to(s.line + step), s.line.eq(s.line + step), s.freed.eq(s.freed + s.frees)]
            if hasattr(s, "left") and self.out_width > 1:
                statements.append(s.left.eq(-self.pad[1]))
            if hasattr(s, "top") and self.out_height > 1:
                statements.append(s.top.eq(-self.pad[0] if wrap else s.top + self.stride[0]))
            if self.out_height > 1:
                statements += [
                    s.need.eq(need[0] if wrap else _after(s.y, need)),
                    s.frees.eq(frees[0] if wrap else _after(s.y, frees)),
                ]
            return statements

        beside = [s.left.eq(s.left + self.stride[1])] if hasattr(s, "left") else []
        levels = [
            (s.beat, part, [at.eq(at + 1)]),
            (s.kx, self.kernel[1], [at.eq(at + (pixel - part + 1))]),
            (s.ky, ky, [at.eq(at + (row - (self.kernel[1] - 1) * pixel - part + 1))]),
            (s.again, self.passes, [at.eq(s.start)]),
            (s.section, self.sections, to(s.start + part)),
            (s.x, self.out_width, [*to(s.start + across), *beside]),
            (s.y, self.out_height, row_done(down, False)),
        ]
        loops(m, levels, row_done(back, True))

    def _places(self) -> dict[str, tuple[int, int]]:
        """Registers for the place of the window's first tap, for the axes along which one can be outside."""
        found = {}
        axes = (("top", self.height, self.out_height), ("left", self.width, self.out_width))
        for axis, (name, size, outs) in enumerate(axes):
            if self.pad[axis] or self.pad[axis + 2]:
                reach = max(size + self.pad[axis], self.stride[axis] * outs + self.kernel[axis])
                most = (1 << (reach.bit_length() + 1)) - 1
                found[name] = (most, -self.pad[axis] & most)
        return found

    def _outside(self, s: Any, tap: int) -> Value:
        """Whether the tap that is read now lies outside the map."""
        inside: list[Value] = []
        if hasattr(s, "top"):
            ky = tap if self.taps > 1 else s.ky
            inside.append((s.top + ky)[: len(s.top)] < self.height)
        if hasattr(s, "left"):
            inside.append((s.left + s.kx)[: len(s.left)] < self.width)
        return ~(inside[0] & inside[1]) if len(inside) == 2 else ~inside[0]


def _after(y: Value, values: list[int]) -> Value | int:
    """values[y + 1], as a choice among the rows that differ from most."""
    common = max(set(values[1:]), key=lambda v: (values.count(v), v))
    result: Value | int = common
    for k, value in enumerate(values[1:]):
        if value != common:
            result = Mux(y == k, value, result)
    return result
