"""Random small networks in .tflite files: odd sizes, strides, both paddings, zero points at both ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.frontends.tflite_files.writer import Writer

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
Rng = np.random.Generator


@dataclass
class Flow:
    """The file so far; `at` is the tensor that the next operator reads."""

    rng: Rng
    w: Writer
    at: int
    bits: int = 8

    @property
    def shape(self) -> tuple[int, ...]:
        return self.w.tensors[self.at]["shape"]

    @property
    def type(self) -> str:
        return "INT8" if self.bits == 8 else "INT16"

    def zero(self) -> int:
        return int(self.rng.choice([-128, 127, 0, self.rng.integers(-128, 128)])) if self.bits == 8 else 0

    def scale(self, low: float = 0.005, high: float = 0.2) -> float:
        exact = self.rng.random() < 0.2  # powers of two make ties
        drawn = float(np.exp(self.rng.uniform(np.log(low), np.log(high)))) / (1 if self.bits == 8 else 100)
        return float(2.0 ** np.rint(np.log2(drawn))) if exact else drawn

    def activation(self) -> str:
        return str(self.rng.choice(ACTIVATIONS))

    def make(self, shape: tuple[int, ...], scale: float | None = None, zero: int | None = None) -> int:
        return self.w.tensor(shape, self.type, scale or self.scale(), self.zero() if zero is None else zero)

    def same(self, shape: tuple[int, ...]) -> int:
        """A tensor with the scale and zero point of the present one."""
        now = self.w.tensors[self.at]
        return self.w.tensor(shape, self.type, now["scales"], now["zeros"])

    def weights(self, shape: tuple[int, ...], out_axis: int) -> tuple[int, np.ndarray]:
        rng, outs = self.rng, shape[out_axis]
        narrow = rng.random() < 0.25 and (self.bits == 8 or out_axis == 0)
        kind = "INT4" if narrow else "INT8"
        top = 7 if kind == "INT4" else 127
        codes = rng.integers(-top - (rng.random() < 0.3), top + 1, shape).astype(np.int8)
        many = rng.random() < 0.6 and outs > 1
        scales = np.array([self.scale(0.001, 0.02) for _ in range(outs if many else 1)], np.float32)
        if self.bits == 16:
            scales = scales * 100
        return self.w.constant(codes, kind, scales, axis=out_axis), scales

    def bias(self, outs: int, scales: np.ndarray) -> int:
        now = self.w.tensors[self.at]
        codes = self.rng.integers(-3000, 3000, outs)
        wide = self.bits == 16
        return self.w.constant(codes, "INT64" if wide else "INT32", now["scales"] * scales)


def window(flow: Flow, ky: int, kx: int, sy: int, sx: int, same: bool) -> tuple[int, int]:
    h, w = flow.shape[1:3]
    if same:
        return -(-h // sy), -(-w // sx)
    return (h - ky) // sy + 1, (w - kx) // sx + 1


def drawn_window(
    flow: Flow, dilate: bool = False
) -> tuple[dict[str, object], tuple[int, int], tuple[int, int]]:
    """Options, (ky, kx) and (OH, OW)."""
    rng, (h, w) = flow.rng, flow.shape[1:3]
    ky, kx = int(rng.integers(1, min(h, 4) + 1)), int(rng.integers(1, min(w, 4) + 1))
    sy, sx = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    same = bool(rng.random() < 0.5)
    fy = fx = 1
    if dilate and rng.random() < 0.3:
        sy = sx = 1
        fy = int(rng.integers(1, (h - 1) // max(ky - 1, 1) + 1)) if ky > 1 else 2
        fx = int(rng.integers(1, (w - 1) // max(kx - 1, 1) + 1)) if kx > 1 else 1
    wide = ((ky - 1) * fy + 1, (kx - 1) * fx + 1)
    out = window(flow, *wide, sy, sx, same)
    options: dict[str, object] = {
        "Padding": "SAME" if same else "VALID", "StrideH": sy, "StrideW": sx,
        "FusedActivationFunction": flow.activation(),
    }  # fmt: skip
    if dilate:
        options |= {"DilationHFactor": fy, "DilationWFactor": fx}
    return options, (ky, kx), out


def conv(flow: Flow) -> None:
    options, kernel, size = drawn_window(flow, dilate=True)
    outs = int(flow.rng.integers(1, 7))
    w, scales = flow.weights((outs, *kernel, flow.shape[3]), 0)
    inputs = [flow.at, w, flow.bias(outs, scales)]
    out = flow.make((1, *size, outs))
    flow.w.operator("CONV_2D", inputs, out, **options)
    flow.at = out


def depthwise(flow: Flow) -> None:
    options, kernel, size = drawn_window(flow, dilate=True)
    times = int(flow.rng.choice([1, 1, 2]))
    outs = flow.shape[3] * times
    w, scales = flow.weights((1, *kernel, outs), 3)
    inputs = [flow.at, w, flow.bias(outs, scales)]
    out = flow.make((1, *size, outs))
    flow.w.operator("DEPTHWISE_CONV_2D", inputs, out, DepthMultiplier=times, **options)
    flow.at = out


def dense(flow: Flow) -> None:
    n = int(np.prod(flow.shape))
    outs = int(flow.rng.integers(1, 9))
    w, scales = flow.weights((outs, n), 0)
    biased = flow.rng.random() < 0.8
    inputs = [flow.at, w, flow.bias(outs, scales) if biased else -1]
    out = flow.make((1, outs))
    flow.w.operator("FULLY_CONNECTED", inputs, out, FusedActivationFunction=flow.activation())
    flow.at = out


def pool(flow: Flow, type: str) -> None:
    options, kernel, size = drawn_window(flow)
    out = flow.same((1, *size, flow.shape[3]))
    flow.w.operator(type, [flow.at], out, FilterHeight=kernel[0], FilterWidth=kernel[1], **options)
    flow.at = out


def mean(flow: Flow) -> None:
    axes = [[1, 2], [1], [2], [-1], [2, 3]][int(flow.rng.integers(5))]
    keep = bool(flow.rng.random() < 0.5)
    gone = {a % 4 for a in axes}
    shape = tuple(1 if i in gone else n for i, n in enumerate(flow.shape) if keep or i not in gone)
    out = flow.make(shape)
    flow.w.operator("MEAN", [flow.at, flow.w.constant(np.array(axes))], out, KeepDims=keep)
    flow.at = out


def join(flow: Flow, type: str) -> None:
    rng = flow.rng
    fixed = rng.random() < 0.3 and flow.bits == 8
    if fixed:
        shape = flow.shape[-1:] if rng.random() < 0.6 else (1,)
        other = flow.w.constant(rng.integers(-128, 128, shape), "INT8", flow.scale(), flow.zero())
    else:
        before = flow.at
        unary(flow, "QUANTIZE")
        other, flow.at = flow.at, before
    pair = [flow.at, other] if rng.random() < 0.5 else [other, flow.at]
    scale = flow.scale(0.05, 0.4) * (
        1 if flow.bits == 8 else 1.07
    )  # int16: no power of two, which is refused
    if type == "MUL":
        scale = (
            float(np.prod([flow.w.tensors[i]["scales"][0] for i in pair]))
            * float(rng.uniform(1, 200))
            * (1 if flow.bits == 8 else 200)
        )
    out = flow.make(flow.shape, scale)
    flow.w.operator(type, pair, out, FusedActivationFunction=flow.activation())
    flow.at = out


def unary(flow: Flow, type: str) -> None:
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
    scale, zero = fixed.get(type, (None, None))
    if type == "HARD_SWISH":
        scale = float(flow.w.tensors[flow.at]["scales"][0]) * float(flow.rng.uniform(0.3, 1.5))
    options = {"Alpha": float(flow.rng.uniform(-0.3, 0.9))} if type == "LEAKY_RELU" else {}
    out = flow.make(flow.shape, scale, zero)
    flow.w.operator(type, [flow.at], out, **options)
    flow.at = out


def reshape(flow: Flow) -> None:
    shape = (1, int(np.prod(flow.shape)))
    out = flow.same(shape)
    flow.w.operator("RESHAPE", [flow.at, flow.w.constant(np.array(shape))], out)
    flow.at = out


def pad(flow: Flow) -> None:
    pads = np.zeros((4, 2), np.int32)
    pads[1:3] = flow.rng.integers(0, 3, (2, 2))
    out = flow.same(tuple(int(n) for n in np.array(flow.shape) + pads.sum(axis=1)))
    flow.w.operator("PAD", [flow.at, flow.w.constant(pads)], out)
    flow.at = out


def halves(flow: Flow) -> None:
    """Split by two kinds of slices, then join the parts the other way round."""
    axis = int(flow.rng.integers(1, 4))
    n = flow.shape[axis]
    at = int(flow.rng.integers(1, n)) if n > 1 else 1
    if n < 2:
        return
    parts = []
    for k, (begin, end) in enumerate([(0, at), (at, n)]):
        begins, ends = [0] * 4, list(flow.shape)
        begins[axis], ends[axis] = begin, end
        out = flow.same(tuple(e - b for b, e in zip(begins, ends, strict=True)))
        last = [e - b for b, e in zip(begins, ends, strict=True)] if k else ends
        more = [] if k else [flow.w.constant(np.ones(4, np.int32))]
        numbers = [flow.w.constant(np.array(begins)), flow.w.constant(np.array(last))]
        flow.w.operator("SLICE" if k else "STRIDED_SLICE", [flow.at, *numbers, *more], out)
        parts.append(out)
    out = flow.same(flow.shape)
    flow.w.operator("CONCATENATION", parts[::-1], out, Axis=axis)
    flow.at = out


TABLES = ("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "HARD_SWISH", "ABS", "LOGISTIC", "TANH", "GELU",
          "QUANTIZE")  # fmt: skip
MAPS: list[Callable[[Flow], None]] = [
    conv, conv, depthwise, depthwise, pad, halves,
    lambda f: pool(f, "AVERAGE_POOL_2D"), lambda f: pool(f, "MAX_POOL_2D"),
    lambda f: join(f, "ADD"), lambda f: join(f, "SUB"), lambda f: join(f, "MUL"),
    lambda f: unary(f, str(f.rng.choice(TABLES))),
]  # fmt: skip
WIDE: list[Callable[[Flow], None]] = [
    conv, depthwise, lambda f: pool(f, "AVERAGE_POOL_2D"), lambda f: pool(f, "MAX_POOL_2D"),
    lambda f: join(f, "ADD"), lambda f: join(f, "SUB"), lambda f: join(f, "MUL"),
]  # fmt: skip


def network(seed: int) -> bytes:
    """A file with an input (1, H, W, C), some operators on maps, perhaps a mean, and a dense layer."""
    rng = np.random.default_rng(seed)
    bits = 16 if rng.random() < 0.2 else 8
    flow = Flow(rng, Writer(), 0, bits)
    shape = (1, int(rng.integers(3, 10)), int(rng.integers(3, 10)), int(rng.integers(1, 6)))
    first = flow.at = flow.make(shape)
    for _ in range(int(rng.integers(1, 5))):
        steps = MAPS if bits == 8 else WIDE
        steps[int(rng.integers(len(steps)))](flow)
    end = rng.random()
    if end < 0.3 and bits == 8:
        mean(flow)
    elif end < 0.7:
        if rng.random() < 0.5:
            reshape(flow)
        dense(flow)
    return flow.w.file([first], [flow.at])
