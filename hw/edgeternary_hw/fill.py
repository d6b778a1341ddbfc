"""Vectors made longer by constants, so that their length has the divisors that folding wants."""

from amaranth import Cat, Const, Module, Mux

from .stage import Streams, counter

__all__ = ["Fill"]


class Fill(Streams):
    """Frames of `real` elements of `width` bits become frames of `total`; the further ones are all `code`.
    (Pixels and rows that zeros follow are such frames, too.)

    `lanes` elements a beat, a divisor of `total`. A frame comes in as ceil(real / lanes) beats, of whose last
    one the bits beyond the frame are ignored, and leaves as total / lanes beats.
    """

    def __init__(self, width: int, lanes: int, real: int, total: int, code: int) -> None:
        if total % lanes or not 0 < real <= total:
            raise ValueError(f"{lanes} lanes do not bring {real} elements to {total}")
        self.width, self.lanes, self.real, self.total, self.code = width, lanes, real, total, code
        super().__init__(i=width * lanes, o=width * lanes)

    @property
    def taken(self) -> int:
        """Beats of a frame that come in."""
        return -(-self.real // self.lanes)

    @property
    def beats(self) -> int:
        """Beats of a frame that leave."""
        return self.total // self.lanes

    def elaborate(self, platform: object) -> Module:
        m = Module()
        at, _ = counter(m, self.beats, self.o.valid & self.o.ready)
        inside = at < self.taken if self.taken < self.beats else Const(1)
        word = Cat(Const(self.code, self.width) for _ in range(self.lanes))
        payload = self.i.payload
        if partial := self.real % self.lanes:
            mixed = Cat(self.i.payload[: partial * self.width], word[partial * self.width :])
            payload = Mux(at == self.taken - 1, mixed, payload)
        m.d.comb += [
            self.o.payload.eq(Mux(inside, payload, word)),
            self.o.valid.eq(self.i.valid | ~inside),
            self.i.ready.eq(self.o.ready & inside),
        ]
        return m
