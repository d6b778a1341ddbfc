"""log_mel: the logarithm of the magnitudes of a sound in bands of frequency, frame by frame."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import msgspec
import numpy as np

from edgeternary.ir import Graph, IntArray, Op, Value, smallest
from edgeternary.ops import build
from edgeternary.ops.spectrum import LOG_ONE, ONE, Wide, log2, magnitude, spectrum, times

SIZES = tuple(1 << bits for bits in range(4, 12))
TOP = 32 * LOG_ONE  # log2 of what a band holds at most
WHOLE = 1 << 32  # a band stays below
ROOM = 1 << 12  # of a band: what the roundings of a transform may add
CHUNK = 1 << 19  # elements that `ref` transforms at once


class LogMel(Op, frozen=True, kw_only=True, eq=False):
    """Sound to bands: windows, a Fourier transform, magnitudes, triangular bands, logarithms.

    The elements of the input, int16 codes of any shape, in their order are n samples. The output is
    (1, frames, bands) with frames = (n - len(window)) // hop + 1, in units of 1/256 of a doubling.

    window  int32 (w,), 0 .. 32,768: the factors of a frame's samples, in 2^-15
    hop     samples from frame to frame
    size    of the transform: a power of two, 16 .. 2,048, at least w
    shift   right shift of the windowed samples, 0 .. 15
    edges   int32 (bands + 2,), rising, 1 .. size / 2: bins edges[i] .. edges[i + 1] - 1 rise in band i and
            fall in band i - 1
    rise    int32 (edges[-1] - edges[0],), 0 .. 32,768: the share of each bin in the band where it rises, in
            2^-15; the rest is its share in the band before
    floor   the logarithm that becomes 0
    peak    1: levels are relative to the largest sample of the input
    """

    kind: ClassVar[str] = "log_mel"

    window: np.ndarray
    hop: int
    size: int
    shift: int
    edges: np.ndarray
    rise: np.ndarray
    floor: int = 0
    peak: int = 0

    @property
    def bands(self) -> int:
        return len(self.edges) - 2

    def frames(self, samples: int) -> int:
        return (samples - len(self.window)) // self.hop + 1

    def infer(self, ins: Sequence[Value]) -> Value:
        (x,) = ins
        self.require(
            x.lo >= -ONE and x.hi < ONE,
            f"its input reaches from {x.lo:,} to {x.hi:,}, beyond int16",
            "give samples of 16 bits",
        )
        self.require(self.size in SIZES, f"its transform has {self.size:,} points, not 16, 32, ... 2,048")
        self.require(
            self.window.ndim == 1 and 1 <= self.window.size <= self.size,
            f"its window must have 1 to {self.size:,} factors",
        )
        self.check_array("window", self.window.shape)
        self.require(
            x.size >= self.window.size,
            f"its input has {x.size:,} samples, its window {self.window.size:,}",
            "give longer sounds",
        )
        self.require(1 <= self.hop < 1 << 16, f"its hop is {self.hop}, it must be 1 to 65,535")
        self.require(0 <= self.shift <= 15, f"its shift is {self.shift}, it must be 0 to 15")
        self.require(
            self.edges.ndim == 1 and 3 <= self.edges.size <= self.size,
            f"its edges must be 3 to {self.size:,} bins",
        )
        self.check_array("edges", self.edges.shape)
        self.require(
            bool(np.all(np.diff(self.edges) >= 0)) and 1 <= self.edges[0] < self.edges[-1] <= self.size // 2,
            f"its edges must rise from 1 or more to at most {self.size // 2:,}",
        )
        self.check_array("rise", (int(self.edges[-1] - self.edges[0]),))
        for field in ("window", "rise"):
            factors = getattr(self, field)
            self.require(
                bool(np.all((factors >= 0) & (factors <= ONE))), f"{field} must lie within 0 to 32,768"
            )
        self.require(-TOP <= self.floor < TOP, f"its floor is {self.floor}, it must be {-TOP} to {TOP - 1}")
        self.require(self.peak in (0, 1), f"its peak is {self.peak}, it must be 0 or 1")
        least = self.least_shift()
        self.require(
            self.shift >= least, f"a shift of {self.shift} can overflow", f"give a shift of {least} or more"
        )
        hi = TOP - self.floor
        return self.result((1, self.frames(x.size), self.bands), smallest(0, hi), 0, hi)

    def shares(self) -> list[tuple[int, Wide]]:
        """(first bin, share of each bin in 2^-15) of each band."""
        ends, rise = self.edges.tolist(), self.rise.astype(np.int64)
        up = [rise[a - ends[0] : b - ends[0]] for a, b in pairwise(ends)]
        return [
            (first, np.concatenate((rising, ONE - falling)))
            for first, (rising, falling) in zip(ends, pairwise(up))
        ]

    def least_shift(self) -> int:
        """The least shift with which no sum overflows, for any samples; 16 where there is none.

        A bin of the transform is at most sum |y|, y the windowed samples; twice a bin, and one more product
        of that size, has to fit int32. The bins of a band: sum_k r_k |Y_k| <= sqrt(sum r_k^2 sum |Y_k|^2)
        and sum |Y_k|^2 <= size / 2 * sum y^2; twice that, times 1.165 > GAIN, has to fit uint32.
        """
        window = self.window.tolist()
        total, energy = sum(window), sum(w * w for w in window)
        widest = max(int((share * share).sum()) for _, share in self.shares())
        for shift in range(16):
            line = (total * ONE >> shift) * 1025 // 1024 + ROOM  # the factors are rounded, too
            band = 2 * 1193 * (math.isqrt(widest * energy * (self.size // 2)) + 1) >> 10 + shift
            if 4 * line < 1 << 31 and band + ROOM * (self.size // 2) < WHOLE:
                return shift
        return 16

    def ref(self, *xs: IntArray) -> IntArray:
        x = xs[0].reshape(len(xs[0]), math.prod(xs[0].shape[1:]))
        count = self.frames(x.shape[1])
        frames = np.lib.stride_tricks.sliding_window_view(x, len(self.window), 1)[:, :: self.hop][:, :count]
        few = min(count, max(1, CHUNK // self.size))
        each = max(1, CHUNK // (few * self.size))
        logs = np.zeros((len(x), count, self.bands), np.int64)
        for at in range(0, len(x), each):
            for first in range(0, count, few):
                block = frames[at : at + each, first : first + few]
                logs[at : at + each, first : first + few] = self._bands(block)
        floor = np.full(len(x), self.floor, np.int64)
        if self.peak:
            floor += log2(np.maximum(x.max(1), 1).astype(np.int64))
        found = np.where(logs < 0, 0, np.maximum(logs - floor[:, None, None], 0))
        return found.astype(np.int32)[:, None]

    def _bands(self, frames: IntArray) -> Wide:
        """The logarithm of each band (n, frames, bands); -1 where a band holds nothing."""
        n, count, width = frames.shape
        y = np.zeros((self.size, n * count), np.int64)
        y[:width] = frames.reshape(-1, width).T * self.window.astype(np.int64)[:, None] >> self.shift
        first, stop = int(self.edges[0]), int(self.edges[-1])
        m = magnitude(*spectrum(y, first, stop))
        rising = times(m, self.rise.astype(np.int64)[:, None])
        falling = m - rising
        sums = np.zeros((n * count, self.bands), np.int64)
        for i in range(self.bands):
            start, middle, end = (int(edge) - first for edge in self.edges[i : i + 3])
            sums[:, i] = rising[start:middle].sum(0) + falling[middle:end].sum(0)
        return np.where(sums > 0, log2(sums), -1).reshape(n, count, self.bands)

    def macs(self, ins: Sequence[Value]) -> int:
        frames, half = self.frames(ins[0].size), self.size // 2
        bins = int(self.edges[-1] - self.edges[0])
        return frames * (len(self.window) + 2 * half * (half.bit_length() - 1) + 5 * bins)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> list[Graph]:
        graphs = []
        cases: list[tuple[tuple[int, ...], int, int, int, int, int, int, str]] = [
            ((1, 100, 1), 32, 32, 16, 5, -300, 0, "int16"), ((61,), 20, 64, 7, 1, 500, 1, "int16"),
            ((13,), 13, 16, 9, 3, 0, 0, "int8"), ((2, 40, 1), 64, 64, 1, 8, -4000, 1, "int16"),
            ((3, 50), 128, 128, 3, 13, 0, 0, "int16"),
        ]  # fmt: skip
        for shape, width, size, hop, bands, floor, peak, type in cases:
            x = build.value("x", shape, type)
            edges = np.sort(rng.integers(1, size // 2 + 1, bands + 2)).astype(np.int32)
            edges[0], edges[-1] = min(edges[0], size // 2 - 1), max(edges[-1], 2)
            rise = rng.integers(0, ONE + 1, int(edges[-1] - edges[0])).astype(np.int32)
            window = np.rint(ONE * np.hanning(width + 2)[1:-1]).astype(np.int32)
            window[: width // 8] = ONE  # and a window that is no bell
            op = cls(
                name="y", inputs=("x",), window=window, hop=hop, size=size, shift=15, edges=edges, rise=rise,
                floor=floor, peak=peak,
            )  # fmt: skip
            least = op.least_shift()
            graphs.append(build.graph(x, msgspec.structs.replace(op, shift=least)))
        return graphs
