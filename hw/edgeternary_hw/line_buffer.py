"""Windows of a feature map at once, out of a shift register of its last rows."""

from amaranth import Cat, Const, Module, Mux, Signal, Value

from .stage import Streams, counter

__all__ = ["LineBuffer"]


class LineBuffer(Streams):
    """Input: a `height` x `width` map, a beat a pixel. Output, for every output pixel: a beat with all taps
    of its window, [ky][kx]. There are no pads.

    The last (ky - 1) * width + kx pixels lie in a shift register, which moves on with every pixel that comes
    in; a window is there with its last pixel. So it takes a pixel a clock, across frames too.
    """

    def __init__(
        self, lane_bits: int, size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int]
    ) -> None:
        (self.height, self.width), self.lane_bits, self.kernel, self.stride = size, lane_bits, kernel, stride
        self.taps = kernel[0] * kernel[1]
        self.out_height, self.out_width = (
            (n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True)
        )
        if self.out_height < 1 or self.out_width < 1:
            raise ValueError(f"window {kernel} does not fit a map of {size}")
        super().__init__(i=lane_bits, o=self.taps * lane_bits)

    @property
    def held(self) -> int:
        """Pixels in the shift register."""
        return (self.kernel[0] - 1) * self.width + self.kernel[1]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits, (ky, kx) = self.lane_bits, self.kernel
        pixels = Signal(self.held * bits, reset_less=True)  # the oldest in the low bits
        accept = Signal()
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), accept.eq(self.i.ready & self.i.valid)]
        across, row_end = self._axis(m, 1, accept)
        down, _ = self._axis(m, 0, accept & row_end)
        with m.If(accept):
            m.d.sync += pixels.eq(Cat(pixels, self.i.payload)[bits:])
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid & across & down)
        rows = [pixels[y * self.width * bits :][: kx * bits] for y in range(ky)]
        m.d.comb += self.o.payload.eq(Cat(rows))
        return m

    def _axis(self, m: Module, axis: int, advance: Value) -> tuple[Value, Value]:
        """Whether a window ends in this row or column, and whether it is the last one of the map."""
        name, size = ("row", "column")[axis], (self.height, self.width)[axis]
        kernel, stride = self.kernel[axis], self.stride[axis]
        _, last = counter(m, size, advance, name)
        if kernel == stride == 1:
            return Const(1, 1), last
        left = Signal(range(max(kernel, stride)), name=f"{name}s_left", init=kernel - 1)
        ends = left == 0
        with m.If(advance):
            m.d.sync += left.eq(Mux(last, kernel - 1, Mux(ends, stride - 1, left - 1)))
        return ends, last
