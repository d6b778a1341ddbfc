"""Layers by shape: the text of `bench --layer` becomes a seeded graph of one layer and its activation."""

import re
from dataclasses import dataclass

from edgeternary.bench import make
from edgeternary.bench.modes import Mode
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.ops.window import Padding, Pair

SYNTAX = (
    "conv2d:24x24x8-12,k5,s2  conv1d:64x12-20,k9  depthwise:12x12x24,k5  pointwise:25x5x64-64  dense:300-75"
)
DIMENSIONS = {"conv2d": 3, "depthwise": 3, "pointwise": 3, "conv1d": 2, "dense": 1}
DEFAULT_KERNEL = {"conv2d": (3, 3), "depthwise": (3, 3), "conv1d": (1, 3)}
MAX_SIZE = 4096


@dataclass(frozen=True)
class Layer:
    """A layer without numbers.

    name    as typed
    kind    conv2d, depthwise, pointwise, conv1d or dense
    shape   of the input, channels last; a row of pixels for conv1d, (n,) for dense
    out     output channels
    padded  so that the output has ceil(size / stride) pixels; else no padding
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    out: int
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padded: bool = True

    @property
    def groups(self) -> int:
        return self.shape[-1] if self.kind == "depthwise" else 1

    @property
    def taps(self) -> int:
        """Inputs of one output."""
        return self.kernel[0] * self.kernel[1] * self.shape[-1] // self.groups

    @property
    def pixels(self) -> int:
        """Pixels of the output; 1 of a dense layer."""
        if self.kind == "dense":
            return 1
        top, left, bottom, right = self.pad
        sizes = self.shape[0] + top + bottom, self.shape[1] + left + right
        height, width = ((n - k) // s + 1 for n, k, s in zip(sizes, self.kernel, self.stride, strict=True))
        return height * width

    @property
    def macs(self) -> int:
        """Multiply-accumulates, padding included."""
        return self.pixels * self.taps * self.out

    @property
    def pad(self) -> Padding:
        """(top, left, bottom, right); an odd one goes to the end."""
        if not self.padded or self.kind == "dense":
            return (0, 0, 0, 0)
        sides = []
        for size, kernel, stride in zip(self.shape[:2], self.kernel, self.stride, strict=True):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            sides.append((total // 2, total - total // 2))
        (top, bottom), (left, right) = sides
        return top, left, bottom, right


def parse(text: str) -> Layer:
    """The layer that `text` describes; EdgeTernaryError (exit code 2) shows the syntax.

    KIND:SHAPE[-OUT][,kSIZE][,sSTRIDE][,valid]   sizes and strides N or YxX; `valid` means no padding
    """
    match = re.fullmatch(r"(\w+):(\d+(?:x\d+)*)(?:-(\d+))?((?:,\w+)*)", text.strip())
    if not match or match[1] not in DIMENSIONS:
        raise _bad(text, "it is no layer of a known kind")
    kind, shape = match[1], tuple(int(n) for n in match[2].split("x"))
    if len(shape) != DIMENSIONS[kind]:
        raise _bad(text, f"{kind} has {DIMENSIONS[kind]} input sizes, not {len(shape)}")
    if kind == "conv1d":
        shape = (1, *shape)
    if (match[3] is None) != (kind == "depthwise"):
        raise _bad(text, "a depthwise layer has no output channels of its own, the others need -OUT")
    out = int(match[3] or shape[-1])
    kernel, stride, padded = DEFAULT_KERNEL.get(kind, (1, 1)), (1, 1), True
    for option in match[4].split(",")[1:]:
        sizes = _pair(option[1:], kind)
        if option == "valid":
            padded = False
        elif option[0] == "k" and sizes and kind in DEFAULT_KERNEL:
            kernel = sizes
        elif option[0] == "s" and sizes and kind != "dense":
            stride = sizes
        else:
            raise _bad(text, f"{option!r} is no option of {kind}")
    if min(*shape, out, *kernel, *stride) < 1 or max(*shape, out, *kernel, *stride) > MAX_SIZE:
        raise _bad(text, f"sizes go from 1 to {MAX_SIZE}")
    if not padded and any(size < k for size, k in zip(shape, kernel, strict=False)) and kind != "dense":
        raise _bad(text, "the window is larger than the input")
    return Layer(text.strip(), kind, shape, out, kernel, stride, padded)


def graph(layer: Layer, mode: Mode, seed: int = 0) -> Graph:
    """Input -> layer -> activation of the input's type, with seeded weights; see `make`."""
    maker = make.Maker("layer", mode, layer.shape, mode.activations, seed)
    if layer.kind == "dense":
        maker.dense(layer.out, "layer")
    else:
        maker.conv(layer.out, layer.kernel, layer.stride, layer.pad, "layer", layer.groups)
    return maker.act("act").graph()


def _pair(text: str, kind: str) -> Pair | None:
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if not match:
        return None
    last = int(match[2] or match[1])
    return (1 if kind == "conv1d" and not match[2] else int(match[1])), last


def _bad(text: str, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(f"bad layer {text[:60]!r}", why, f"for example: {SYNTAX}", USAGE)
