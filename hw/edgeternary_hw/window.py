"""Sliding window: the taps of every window of a feature map, read from a ring of rows."""

from itertools import pairwise

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.utils import ceil_log2

from .stage import Memories, MemorySize, Streams, counter, ram

__all__ = ["Window"]

Levels = list[tuple[str, int, Value]]
HAND_OVER = 8  # cycles from a row stored, or done with, to the next one: rows to spare hide them


class Window(Memories, Streams):
    """Input: a `height` x `width` map of `beats` beats a pixel. Output, for every output pixel: for every
    section (the pixel's beats cut into `sections` runs), `passes` times: the beats [ky][kx][beat of section].

    `pad` is (top, left, bottom, right); a tap outside the map is `pad_word`. With `mark` the output carries
    one more bit on top, 1 for such a tap. With `tall` a beat holds the taps of all ky, the topmost in the low
    bits, and the beats run [kx][beat of section]. With `wide` it holds those of all ky and kx, [ky][kx], each
    from a read port of its own, and there are rows to spare: a window may then move on with every pixel that
    comes in. Rows become free when no later window needs them.
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
        wide: bool = False,
    ) -> None:
        self.height, self.width = size
        self.lane_bits, self.beats, self.kernel, self.stride, self.pad = lane_bits, beats, kernel, stride, pad
        self.pad_word, self.sections, self.passes = pad_word, sections, passes
        self.mark, self.wide = mark, wide
        self.down, self.across = kernel[0] if tall or wide else 1, kernel[1] if wide else 1
        self.taps = self.down * self.across  # a beat
        top, left, bottom, right = pad
        self.out_height = (self.height + top + bottom - kernel[0]) // stride[0] + 1
        self.out_width = (self.width + left + right - kernel[1]) // stride[1] + 1
        if self.out_height < 1 or self.out_width < 1 or beats % sections or (mark and (tall or wide)):
            raise ValueError(f"window {kernel} with pad {pad} does not fit a map of {size}")
        super().__init__(i=lane_bits, o=self.taps * lane_bits + mark)

    @property
    def steps(self) -> int:
        """Beats sent for an output pixel."""
        taps = self.kernel[0] * self.kernel[1] // self.taps
        return taps * self.beats * self.passes

    @property
    def address_bits(self) -> int:
        need, frees = self.rows()
        row = self.width * self.beats
        spare = -(-HAND_OVER // row) if self.wide else 0
        return ceil_log2(max(2, (max(need) + max(frees) + spare) * row))

    @property
    def places(self) -> list[int]:
        """Of the taps of a beat, how far they lie after the first one in the ring."""
        row = self.width * self.beats
        return [(k // self.across) * row + (k % self.across) * self.beats for k in range(self.taps)]

    KEPT = ("ring",)

    @property
    def memories(self) -> dict[str, MemorySize]:
        return {"ring": MemorySize(1 << self.address_bits, self.lane_bits, writable=True, reads=self.taps)}

    def rows(self) -> tuple[list[int], list[int]]:
        """For each output row: rows that must be stored (from the oldest kept one), rows that become free."""
        firsts = [min(max(y * self.stride[0] - self.pad[0], 0), self.height) for y in range(self.out_height)]
        firsts.append(self.height)
        ends = [
            min(y * self.stride[0] - self.pad[0] + self.kernel[0], self.height)
            for y in range(self.out_height)
        ]
        free = [after - first for first, after in pairwise(firsts)]
        need = [max(end - first, f) for end, first, f in zip(ends, firsts, free, strict=False)]
        need[0] = max(need[0], 1)  # no answer before its frame, even where the first windows are pads alone
        return need, free

    def elaborate(self, platform: object) -> Module:
        m = Module()
        need, frees = self.rows()
        row = self.width * self.beats
        bits = self.address_bits
        slots = (1 << bits) // row
        origin = -(self.pad[0] * self.width + self.pad[1]) * self.beats % (1 << bits)
        at = Signal(bits, init=origin)  # address of the tap that is read next
        write_at = Signal(bits)
        # rows that may still come in, less one; rows stored, less those that this output row needs
        room = Signal(signed((slots - 1).bit_length() + 1), init=slots - 1)
        margin = Signal(signed(max(slots, *need).bit_length() + 1), init=-need[0])
        send, accept = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(~room[-1]),
            accept.eq(self.i.ready & self.i.valid),
            send.eq((~self.o.valid | self.o.ready) & ~margin[-1]),
        ]
        _, row_end = counter(m, row, accept, "column")
        stored, done = accept & row_end, Signal()
        reads = [((at + place)[:bits] if place else at, send) for place in self.places]
        write = (write_at, self.i.payload, accept)
        taps = ram(m, self.lane_bits, write, reads, "ring", self.place("ring"))
        with m.If(accept):
            m.d.sync += write_at.eq(write_at + 1)
        free, there = ~self.o.valid | self.o.ready, Signal()
        if self.late:
            with m.If(free):
                m.d.sync += [there.eq(send), self.o.valid.eq(there)]
        else:
            m.d.sync += self.o.valid.eq(send | (self.o.valid & ~self.o.ready))
        levels = self._levels(m, send)
        y, last_row = counter(m, self.out_height, done, "y")
        m.d.comb += done.eq(send & levels[-1][2])
        with m.If(send):
            self._next_address(m, at, origin, row, levels, last_row)
        freed, change = self._per_row(m, need, frees, y, last_row, done)
        m.d.sync += [
            room.eq(room - stored + Mux(done, freed, 0)),
            margin.eq(margin + stored - Mux(done, change, 0)),
        ]
        outside = self._outside(m, levels, last_row, send)
        if self.late:
            kept = [
                Signal(len(value), name=f"kept{k}", reset_less=self.inside)
                for k, value in enumerate((*taps, *outside))
            ]
            with m.If(free):
                m.d.sync += [k.eq(value) for k, value in zip(kept, (*taps, *outside), strict=True)]
            taps, outside = kept[: self.taps], kept[self.taps :]
        taps = [Mux(flag, self.pad_word, tap) for flag, tap in zip(outside, taps, strict=True)]
        m.d.comb += self.o.payload.eq(Cat(*taps, outside[0]) if self.mark else Cat(*taps))
        return m

    def _levels(self, m: Module, send: Value) -> Levels:
        """Nested counters, the innermost first: (name, length, whether this and all inner ones end).

        They step with `send`, on which the flags do not depend.
        """
        lengths = (
            ("beat", self.beats // self.sections),
            ("kx", self.kernel[1] // self.across),
            ("ky", self.kernel[0] // self.down),
            ("again", self.passes),
            ("section", self.sections),
            ("x", self.out_width),
        )
        found = []
        inner: Value | None = None
        for name, length in lengths:
            _, last = counter(m, length, send if inner is None else send & inner, name)
            end = Signal(name=f"{name}_end")
            m.d.comb += end.eq(last if inner is None else inner & last)
            found.append((name, length, end))
            inner = end
        return found

    def _next_address(
        self, m: Module, at: Signal, origin: int, row: int, levels: Levels, last_row: Value
    ) -> None:
        """Moves on to the next tap: one addition to the address of this tap, of the window or of the row,
        whichever the level that steps starts from."""
        part, pixel = self.beats // self.sections, self.beats
        ends = {name: end for name, _, end in levels}
        down = self.stride[0] * row
        back = (self.height - (self.out_height - 1) * self.stride[0]) * row
        steps: list[tuple[Value | None, str, int]] = [  # (all before have ended, from, distance)
            (None, "at", 1),
            (ends["beat"], "at", pixel - part + 1),
            (ends["kx"], "at", row - (self.kernel[1] - 1) * pixel - part + 1),
            (ends["ky"], "start", 0),
            (ends["again"], "start", part),
            (ends["section"], "start", self.stride[1] * pixel - (self.beats - part)),
            (ends["x"], "line", down),
        ]
        lengths = {name: length for name, length, _ in levels}
        taken = [s for s, (_, length) in zip(steps, [*lengths.items(), ("y", 2)], strict=True) if length > 1]

        start = Signal.like(at, name="start", init=origin)
        line = Signal.like(at, name="line", init=origin)
        bases = {"at": at, "start": start, "line": line}
        base: Value = bases[taken[0][1]]
        distance: Value = Const(taken[0][2], len(at))
        for ended, origin_name, step in taken[1:]:
            if bases[origin_name] is not base:
                base = Mux(ended, bases[origin_name], base)
            distance = Mux(ended, Const(step % (1 << len(at)), len(at)), distance)
        if self.out_height > 1 and back != down:
            distance = Mux(ends["x"] & last_row, Const(back % (1 << len(at)), len(at)), distance)
        elif self.out_height == 1:
            distance = Mux(ends["x"], Const(back % (1 << len(at)), len(at)), distance)
        after = Signal.like(at, name="after")
        m.d.comb += after.eq(base + distance)
        m.d.sync += at.eq(after)
        with m.If(ends["again"]):
            m.d.sync += start.eq(after)
        with m.If(ends["x"]):
            m.d.sync += line.eq(after)

    def _per_row(
        self, m: Module, need: list[int], frees: list[int], y: Value, last_row: Value, done: Value
    ) -> tuple[Value, Value]:
        """For the output row at work: rows that it frees, and by how much `margin` then falls."""
        follows = [*need[1:], need[0]]
        changes = [free + after - now for now, after, free in zip(need, follows, frees, strict=True)]
        found = []
        for name, values in (("free", frees), ("change", changes)):
            if len(set(values)) == 1:
                found.append(Const(values[0], signed(values[0].bit_length() + 1)))
                continue
            size = max(abs(v) for v in values).bit_length() + 1
            value = Signal(signed(size), name=name, init=values[0])
            with m.If(done):
                m.d.sync += value.eq(Mux(last_row, values[0], _after(y, values)))
            found.append(value)
        return found[0], found[1]

    def _outside(self, m: Module, levels: Levels, last_row: Value, send: Value) -> list[Value]:
        """For each tap that is read, whether it lies outside the map: from its row and column, counted from
        the first padded ones."""
        ends = {name: end for name, _, end in levels}
        kx, ky = self.kernel[1] // self.across, self.kernel[0] // self.down
        columns = ((ends["beat"], 1), (ends["kx"], 1 - kx), (ends["section"], self.stride[1] + 1 - kx))
        rows = ((ends["kx"], 1), (ends["ky"], 1 - ky), (ends["x"], self.stride[0] + 1 - ky))
        places = []
        for axis, (name, moves, size) in enumerate(
            (("row", rows, self.height), ("column", columns, self.width))
        ):
            before, after = self.pad[axis], self.pad[axis + 2]
            if not before and not after:
                places.append([Const(1, 1)] * self.taps)
                continue
            outs = (self.out_height, self.out_width)[axis]
            place = Signal(
                range(max(size + before + after, outs * self.stride[axis] + self.kernel[axis])), name=name
            )
            distance: Value = Const(0, len(place))
            for ended, step in moves:
                distance = Mux(ended, Const(step % (1 << len(place)), len(place)), distance)
            restart = ends["x"] & last_row if axis == 0 else ends["x"]
            with m.If(send):
                m.d.sync += place.eq(Mux(restart, 0, place + distance))
            taps = [k % self.across if axis else k // self.across for k in range(self.taps)]
            places.append([(place >= before - k) & (place < before + size - k) for k in taps])
        if all(isinstance(flag, Const) for axis in places for flag in axis):
            return [Const(0, 1)] * self.taps
        outside = Signal(self.taps, name="outside")
        with m.If(send):
            m.d.sync += outside.eq(Cat(*(~(r & c) for r, c in zip(*places, strict=True))))
        return list(outside)


def _after(y: Value, values: list[int]) -> Value | int:
    """values[y + 1], as a choice among the rows that differ from most."""
    common = max(set(values[1:]), key=lambda v: (values.count(v), v))
    result: Value | int = common
    for k, value in enumerate(values[1:]):
        if value != common:
            result = Mux(y == k, value, result)
    return result
