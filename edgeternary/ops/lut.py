"""lut: y[..., l] = tables[l, a], where bit k of a is the bit of the window at wiring[l, k]."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, parse
from edgeternary.ops import build
from edgeternary.ops.bits import bit_type, interval, require_bits
from edgeternary.ops.window import Padding, Pair, output_size, pad_image, pointwise, windows

MOST_PINS = 6


class Lut(Op, frozen=True, kw_only=True, eq=False):
    """L tables of up to six bits each, whose pins are wired to bits of a window.

    wiring  int32 (L, F), F in 1..6: where each pin reads in the window, flattened in the order (ky, kx, c);
            -1 is a pin that is not used and reads 0
    tables  int8 (L, 2^F), codes of `type`; entry a is the output where bit k of a is the bit at pin k
    type    of the output: binary or bipolar
    kernel  (ky, kx);  stride (sy, sx);  pad (top, left, bottom, right), bits that are not set
    Input (n,) with a kernel of (1, 1), or (H, W, C); output (L,) or (OH, OW, L). A bit is set where the value
    is positive.
    """

    kind: ClassVar[str] = "lut"
    packed: ClassVar[dict[str, str]] = {"tables": "type"}

    wiring: np.ndarray
    tables: np.ndarray
    type: str = "binary"
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    pad: Padding = (0, 0, 0, 0)

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        require_bits(self, x)
        type = bit_type(self, self.type)
        self.require(
            self.wiring.ndim == 2 and self.wiring.size > 0 and self.wiring.shape[1] <= MOST_PINS,
            f"wiring must be (L, F) with 1 to {MOST_PINS} pins a table",
        )
        tables, pins = self.wiring.shape
        self.check_array("wiring", (tables, pins))
        self.check_array("tables", (tables, 2**pins), "int8")
        self.require(type.contains(self.tables), f"a table entry is not {type}")
        low, high, size = int(self.wiring.min()), int(self.wiring.max()), self.window_size(x)
        self.require(low >= -1 and high < size, f"pins read bits {low} to {high} of a window of {size}")
        shape: tuple[int, ...] = (tables,)
        if len(x.shape) == 1:
            self.require(
                not self.windowed, "a flat input has no window", "reshape it to (height, width, channels)"
            )
        else:
            shape = (*output_size(self, x, self.kernel, self.stride, self.pad), tables)
        return self.result(shape, type, *interval(self.tables > 0, type))

    @property
    def windowed(self) -> bool:
        """Whether a table reads more than the pixel at its place."""
        return not pointwise(self.kernel, self.stride, self.pad)

    def window_size(self, x: Value) -> int:
        """Bits of a window."""
        return self.kernel[0] * self.kernel[1] * x.channels

    def all_pins(self) -> tuple[IntArray, np.ndarray]:
        """(wiring, tables) of the same function without a -1: unused pins read bit 0, which has no effect."""
        entries = np.arange(self.tables.shape[1])
        used = ((self.wiring >= 0) << np.arange(self.wiring.shape[1])).sum(axis=1)
        return np.maximum(self.wiring, 0), np.take_along_axis(self.tables, entries & used[:, None], axis=1)

    def ref(self, *xs: IntArray) -> IntArray:
        (x,) = xs
        bits = (x > 0).view(np.uint8)
        if x.ndim == 4:
            padded = pad_image(x, self.pad, 0) > 0
            view = windows(padded.view(np.uint8), self.kernel, self.stride)
            size = self.kernel[0] * self.kernel[1] * x.shape[3]
            bits = view.transpose(0, 1, 2, 4, 5, 3).reshape(*view.shape[:3], size)
        wiring, tables = self.all_pins()
        address = np.zeros((*bits.shape[:-1], len(wiring)), np.uint8)
        for k, pin in enumerate(wiring.T):
            address |= bits[..., pin] << k
        return tables[np.arange(len(wiring)), address].astype(np.int32)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[str, tuple[int, ...], int, int, str, Pair, Pair, Padding]] = [
            ("binary", (70,), 33, 6, "binary", (1, 1), (1, 1), (0, 0, 0, 0)),
            ("bipolar", (5,), 7, 4, "bipolar", (1, 1), (1, 1), (0, 0, 0, 0)),
            ("binary", (1,), 3, 2, "bipolar", (1, 1), (1, 1), (0, 0, 0, 0)),
            ("bipolar", (2,), 64, 1, "binary", (1, 1), (1, 1), (0, 0, 0, 0)),
            ("binary", (5, 6, 3), 9, 6, "binary", (3, 2), (2, 1), (1, 0, 0, 1)),
            ("bipolar", (4, 4, 33), 5, 3, "bipolar", (2, 2), (2, 2), (0, 0, 0, 0)),
            ("binary", (3, 5, 8), 35, 5, "bipolar", (1, 1), (1, 1), (0, 0, 0, 0)),
            ("binary", (1, 9, 2), 2, 4, "binary", (1, 5), (1, 2), (0, 2, 0, 2)),
        ]  # fmt: skip
        for input_type, shape, count, pins, type, kernel, stride, pad in cases:
            x = build.value("x", shape, input_type)
            op = random_tables(rng, x, count, pins, type, kernel=kernel, stride=stride, pad=pad)
            graphs.append(build.graph(x, op))
        return graphs


def random_tables(
    rng: np.random.Generator,
    x: Value,
    count: int,
    pins: int,
    type: str = "binary",
    *,
    name: str = "tables",
    kernel: Pair = (1, 1),
    stride: Pair = (1, 1),
    pad: Padding = (0, 0, 0, 0),
) -> Lut:
    """A lut op on `x` with equal, constant and unused-pin tables among `count` random ones."""
    size = kernel[0] * kernel[1] * x.channels
    wiring = rng.integers(0, size, (count, pins))
    wiring[rng.random((count, pins)) < 0.1] = -1
    bits = rng.integers(0, 2, (count, 2**pins))
    if count >= 5:
        wiring[1], bits[1] = wiring[0], bits[0]
        bits[2], bits[3] = 0, 1
    t = parse(type)
    return Lut(
        name=name,
        inputs=(x.name,),
        wiring=wiring.astype(np.int32),
        tables=np.where(bits, t.hi, t.lo).astype(np.int8),
        type=type,
        kernel=kernel,
        stride=stride,
        pad=pad,
    )
