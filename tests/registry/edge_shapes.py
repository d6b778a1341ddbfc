"""Networks at the edge: 1 to 5 pixels, strides and pads beyond the image, channels without a weight.

Each number draws one network. Every list, table, segment and part that a kernel makes may be empty here:
rows and columns of weights are 0, whole layers are 0, thresholds are out of reach, windows hang over every
side.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, Op, Value, parse
from edgeternary.ops import (
    Add,
    Argmax,
    Concat,
    Conv2d,
    Dense,
    MaxPool,
    Requantize,
    Reshape,
    SumPool,
    Threshold,
    build,
)

INPUTS = (
    "bipolar",
    "bipolar",
    "binary",
    "binary",
    "ternary",
    "ternary",
    "uint2",
    "int3",
    "uint4",
    "uint8",
    "int8",
)
WEIGHTS = ("bipolar", "bipolar", "ternary", "ternary", "ternary", "ternary", "int2", "int4", "int8")
CODES = (
    "bipolar",
    "bipolar",
    "binary",
    "ternary",
    "ternary",
    "uint2",
    "uint2",
    "int3",
    "uint4",
    "uint5",
    "int8",
)
CHANNELS = (1, 1, 2, 3, 4, 5, 7, 8, 8, 16, 31, 32, 33)
MAX_OUTPUTS = 70
MAX_ELEMENTS = 20_000  # of a value


class Drawer:
    """Draws the ops of one network; `top` is the value that the next layer reads."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.ops: list[Op] = []
        self.input = self.top = self._input()

    def draw(self) -> Graph:
        for _ in range(self.one_of(1, 1, 2, 2, 3)):
            self.convolve()
            self.follow()
            if self.chance(0.25):
                self.pool()
        if self.chance(0.4):
            self.classify()
        return build.graph(self.input, *self.ops, name="edge")

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one_of(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def add(self, op: Op) -> None:
        """Append `op`; it reads `top`, or what it names."""
        values = {self.input.name: self.input}
        for known in self.ops:
            values[known.name] = known.infer([values[name] for name in known.inputs])
        self.top = op.infer([values[name] for name in op.inputs])
        self.ops.append(op)

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.ops)}"

    def _input(self) -> Value:
        shape = int(self.rng.integers(1, 6)), int(self.rng.integers(1, 6)), self.one_of(*CHANNELS)
        return build.value("x", (1, *shape[1:]) if self.chance(0.15) else shape, self.one_of(*INPUTS))

    def convolve(self) -> None:
        """Any kernel, stride, pads and groups that the image allows; one in three keeps the image's size."""
        height, width, channels = self.top.shape
        same = self.chance(0.35)
        kernel = int(self.rng.integers(1, 5)), int(self.rng.integers(1, 5))
        if self.chance(0.3):
            kernel = 1, 1
        most = 0 if self.chance(0.35) else self.one_of(1, 1, 2, 5)
        pad = [int(self.rng.integers(0, most + 1)) for _ in range(4)]
        for axis, size in enumerate((height, width)):  # the window fits the padded image
            pad[axis] = max(pad[axis], kernel[axis] - size - pad[axis + 2])
            if same:
                pad[axis] = int(self.rng.integers(0, kernel[axis]))
                pad[axis + 2] = kernel[axis] - 1 - pad[axis]
        groups = 1
        if not same and self.chance(0.3):
            groups = self.one_of(channels, *[n for n in range(1, channels + 1) if channels % n == 0])
        outs = groups * self.one_of(*(CHANNELS if groups == 1 else (1, 1, 2, 3)))
        outs = outs if outs <= MAX_OUTPUTS else groups
        kind = self.one_of(*WEIGHTS)
        weights = self.pruned(build.codes(self.rng, (outs, *kernel, channels // groups), kind), kind)
        stride = (1, 1) if same or self.chance(0.3) else (self.one_of(1, 2, 3, 7), self.one_of(1, 2, 3, 7))
        type = self.top.type
        codes = [self.top.lo, 0, 0, self.top.hi]
        pads = [code for code in codes if type.contains(np.array([code]))]
        # The default pad value stays where nothing is padded, as torch's front end leaves it.
        pad_value = int(self.one_of(*pads)) if any(pad) else 0
        self.add(Conv2d(
            name=self.name("conv"), inputs=(self.top.name,), weights=weights, weight_type=kind,
            bias=self.bias(outs), stride=stride, pad=tuple(pad), pad_value=pad_value, groups=groups,
        ))  # fmt: skip

    def pruned(self, weights: np.ndarray, kind: str) -> np.ndarray:
        """Some outputs, inputs or all weights 0, where the type has a 0."""
        if kind == "bipolar":
            return weights
        if self.chance(0.5):
            weights[self.rng.random(len(weights)) < self.one_of(0.2, 0.5, 0.9)] = 0
        if self.chance(0.3):
            weights[..., self.rng.random(weights.shape[-1]) < 0.4] = 0
        if self.chance(0.1):
            weights[:] = 0
        return weights

    def bias(self, count: int) -> np.ndarray:
        bias = self.rng.integers(-4, 5, count) if self.chance(0.7) else np.zeros(count)
        return bias.astype(np.int32)

    def follow(self) -> None:
        """Thresholds, a requantize, a sum of two activations, or a join; int32 sums may stay at the end."""
        if self.chance(0.1) and self.top.hi - self.top.lo < 2**16:
            return
        source = self.top
        self.quantise(source)
        if self.chance(0.15):
            first = self.top
            self.quantise(source, first.type.name)
            if self.top.type == first.type:
                joined: type[Op] = self.one_of(Add, Concat)
                self.add(joined(name=self.name("join"), inputs=(first.name, self.top.name)))

    def quantise(self, x: Value, type: str | None = None) -> None:
        kind = type or self.one_of(*CODES)
        requantized = kind in ("uint5", "int8") or (kind != "bipolar" and self.chance(0.15))
        op = self.requantize(x, kind) if requantized else self.thresholds(x, kind)
        self.add(op)

    def thresholds(self, x: Value, kind: str) -> Op:
        """Near the middle of the interval, with channels whose thresholds are out of reach or all reached."""
        op = build.random_thresholds(self.rng, x, kind, self.name("act"), x.name)
        assert isinstance(op, Threshold)
        t, middle = op.t.copy(), (x.lo + x.hi) // 2
        if self.chance(0.7):
            spread = max((x.hi - x.lo) // 8, 1)
            t = np.sort(
                np.clip(middle + self.rng.integers(-spread, spread + 1, t.shape), x.lo, x.hi + 1), axis=1
            )
        dead = self.rng.random(len(t)) < self.one_of(0.0, 0.0, 0.3, 1.0 if self.chance(0.3) else 0.5)
        t[dead] = self.one_of(x.hi + 1, x.lo)
        return msgspec.structs.replace(op, t=t.astype(np.int32))

    def requantize(self, x: Value, kind: str) -> Op:
        """Forms A and B, with channels that are multiplied by 0."""
        out, channels = parse(kind), x.channels
        shift = max((x.hi - x.lo).bit_length() - out.bits, 0)
        m = self.rng.choice([1, 1, 1, -1, 0], channels)
        if self.chance(0.4) and max(abs(x.lo), abs(x.hi)) < 2**20:
            m, shift = self.rng.integers(-3, 60, channels), shift + 5
        if self.chance(0.1):
            m = np.zeros(channels)
        ones = np.ones(channels, np.int32)
        return Requantize(
            name=self.name("act"), inputs=(x.name,), m=m.astype(np.int32), b=self.bias(channels),
            s=shift * ones, zero=0, lo=out.lo, hi=out.hi, rounding=self.one_of("floor", "half_up"), type=kind,
        )  # fmt: skip

    def pool(self) -> None:
        height, width, channels = self.top.shape
        kernel = int(self.rng.integers(1, min(height, 4) + 1)), int(self.rng.integers(1, min(width, 4) + 1))
        stride = self.one_of(1, 2, 9), self.one_of(1, 2, 9)
        if self.chance(0.3) and self.top.hi - self.top.lo < 2**16:
            self.add(SumPool(name=self.name("sum"), inputs=(self.top.name,), kernel=kernel, stride=stride))
            return
        pad = tuple(int(self.rng.integers(0, k)) for k in kernel * 2)
        minimum = self.rng.integers(0, 2, channels).astype(np.uint8)
        self.add(MaxPool(
            name=self.name("max"), inputs=(self.top.name,), kernel=kernel, stride=stride, pad=pad,
            minimum=minimum,
        ))  # fmt: skip

    def classify(self) -> None:
        """One or two dense layers, pruned as convolutions are."""
        self.add(Reshape(name=self.name("flat"), inputs=(self.top.name,), shape=(self.top.size,)))
        for last in (False, True) if self.chance(0.4) else (True,):
            kind = self.one_of(*WEIGHTS)
            outs = self.one_of(1, 2, 5, 10, 33)
            weights = self.pruned(build.codes(self.rng, (outs, self.top.size), kind), kind)
            self.add(Dense(
                name=self.name("fc"), inputs=(self.top.name,), weights=weights, weight_type=kind,
                bias=self.bias(outs),
            ))  # fmt: skip
            if not last:
                self.quantise(self.top)
        if self.chance(0.2):
            self.add(Argmax(name=self.name("best"), inputs=(self.top.name,)))


def edge_graph(seed: int) -> Graph:
    """The network of a seed. A drawing that the ops refuse, or that grows too large, is drawn again."""
    for attempt in range(100):
        try:
            graph = Drawer(1000 * seed + attempt).draw()
        except EdgeTernaryError:
            continue
        if max(value.size for value in graph.values.values()) <= MAX_ELEMENTS:
            return replace(graph, name=f"edge{seed}")
    raise AssertionError(f"seed {seed} draws nothing that the ops take")
