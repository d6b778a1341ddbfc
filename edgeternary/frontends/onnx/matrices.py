"""Conv, Gemm, MatMul and their integer forms: an accumulator, and the float32 that it stands for.

With weights w * S[o] and inputs (q - zero) * s, a number of the file's result is

    float32(acc * (S[o] * s) + bias[o]),    acc = sum of w * (q - zero)

with the product of scales and the sum in float64: the float32 sum of rounded products, in whichever order,
is no function. A bias that is integer in steps of S * s is part of acc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.onnx.constants import moved
from edgeternary.frontends.onnx.grids import integral, on_grid, padded_codes
from edgeternary.frontends.onnx.scales import Weights, bias_of, weights
from edgeternary.frontends.onnx.values import Const, Context, Grid, Live, Tensor
from edgeternary.ops import Conv2d, Dense
from edgeternary.ops.window import Padding, Pair

F = np.float32
INT32 = 2**31


def matmul(c: Context, a: Tensor, b: Tensor, bias: Const | None = None) -> Live:
    """MatMul of a tensor (N, K) and constants (K, M)."""
    if not isinstance(a, Live) or not isinstance(b, Const):
        raise c.refuse(
            "its second operand is no constant", "multiply by constant weights; a constant first is no layer"
        )
    if b.value.ndim != 2:
        raise c.refuse(f"its weights have the shape {b.shape}", "use (inputs, outputs)")
    return dense(c, a, _transposed(b), bias)


def gemm(c: Context, a: Tensor, b: Tensor, bias: Const | None = None) -> Live:
    node = c.here
    if not isinstance(a, Live) or not isinstance(b, Const) or isinstance(bias, Live) or b.value.ndim != 2:
        raise c.refuse("its weights are no constant", "use constant weights and a constant bias")
    if node.get("transA", 0):
        raise c.refuse("it transposes its input", "export it with transA=0")
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    if alpha != 1 or (bias is not None and beta != 1):
        raise c.refuse(f"alpha is {alpha:g} and beta {beta:g}", "export it with both 1")
    return dense(c, a, b if node.get("transB", 0) else _transposed(b), bias)


def _transposed(b: Const) -> Const:
    return moved(b, np.transpose)


def dense(c: Context, x: Live, w: Const, bias: Const | None) -> Live:
    """Weights (outputs, inputs)."""
    x = integral(c, x)
    value = c.values[x.base]
    if len(x.shape) != 1 or w.shape[1] != x.shape[0]:
        raise c.refuse(f"it takes {w.shape[1]} flat inputs and gets {x.shape}", "put a Flatten before it")
    scale, zero = _rows(x, value.channels)
    order = np.argsort(x.whole_order)
    found = weights(c, _ordered(w, order), scale[None])
    whole, rest = bias_of(c, bias, found.scale)
    whole = whole - (found.codes * zero[None]).sum(axis=1)
    op = Dense(
        name=c.name(), inputs=(x.base,), weights=found.codes.astype(np.int8), weight_type=found.type,
        bias=_int32(c, whole),
    )  # fmt: skip
    c.emit(op)
    return accumulator(op.name, (len(found.codes),), found, rest)


def _ordered(w: Const, order: NDArray[np.int64]) -> Const:
    return w if np.array_equal(order, np.arange(order.size)) else moved(w, lambda a: a[:, order])


def _rows(x: Live, channels: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    assert x.grid is not None
    scale = np.broadcast_to(np.asarray(x.grid.scale, np.float64), (channels,))
    return scale, np.broadcast_to(np.asarray(x.grid.zero, np.int64), (channels,))


def accumulator(name: str, shape: tuple[int, ...], w: Weights, rest: NDArray[np.float64]) -> Live:
    """The tensor of an accumulator: float32(acc * scale + bias)."""
    scale = w.scale[0] if np.all(w.scale == w.scale[0]) else w.scale
    grid = Grid(np.asarray(scale), offset=np.asarray(rest if rest.any() else 0.0))
    return Live(name, shape, None, (on_grid(grid),), grid)


def _int32(c: Context, bias: NDArray[np.int64]) -> NDArray[np.int32]:
    if np.abs(bias).max(initial=0) >= INT32:
        raise c.refuse("its bias goes beyond int32", "use fewer inputs, or a smaller bias")
    return bias.astype(np.int32)


def conv(c: Context, x: Tensor, w: Tensor, bias: Const | None = None) -> Live:
    """1-D and 2-D, groups, pads, strides, dilations."""
    node = c.here
    if not isinstance(x, Live) or not isinstance(w, Const) or isinstance(bias, Live):
        raise c.refuse("its weights are no constant", "use constant weights and a constant bias")
    x = integral(c, x)
    if len(x.shape) not in (2, 3) or x.order is not None or w.value.ndim != len(x.shape) + 1:
        raise c.refuse(
            f"its input is {(1, *x.shape)} and its weights are {w.shape}",
            "1-D and 2-D convolutions of (N, channels, ...) are read; transpose such inputs before it",
        )
    w, kernel, dilation = _spread(c, w)
    groups = int(node.get("group", 1))
    top, left, bottom, right = x.pads
    sizes = [x.shape[-2] + top + bottom, x.shape[-1] + left + right][-(len(x.shape) - 1) :]
    stride, pad = window(c, sizes, kernel, dilation)
    outs, ins = w.shape[0], w.shape[1]
    channels = x.shape[0]
    if groups < 1 or channels != ins * groups or outs % groups:
        raise c.refuse(f"{channels} channels in {groups} groups meet weights {w.shape}", "export it again")
    scale, zero = _rows(x, channels)
    reads = (np.arange(outs) // (outs // groups) * ins)[:, None] + np.arange(ins)  # (O, I) input channels
    found = weights(c, w, scale[reads][:, :, None, None])
    whole, rest = bias_of(c, bias, found.scale)
    whole = whole - (found.codes * zero[reads][:, :, None, None]).sum(axis=(1, 2, 3))
    edge = int(x.pad_code) if any(x.pads) else int(zero[0])
    if any(x.pads) and any(pad) and edge != zero[0]:
        raise c.refuse(f"the Pad before it has the code {edge}, its own pads 0", "pad once, before it")
    pad = (pad[0] + x.pads[0], pad[1] + x.pads[1], pad[2] + x.pads[2], pad[3] + x.pads[3])
    if any(pad) and np.any(zero != zero[0]):
        raise c.refuse(
            "it pads an input whose channels have different zero points", "use one zero point for all"
        )
    x = padded_codes(c, x, edge) if any(pad) else x
    op = Conv2d(
        name=c.name(), inputs=(x.base,), weights=found.codes.transpose(0, 2, 3, 1).astype(np.int8).copy(),
        weight_type=found.type, bias=_int32(c, whole), stride=stride, pad=pad,
        pad_value=edge if any(pad) else 0, groups=groups,
    )  # fmt: skip
    height, width, _ = c.emit(op).shape
    shape = (outs, height, width) if len(x.shape) == 3 else (outs, width)
    return accumulator(op.name, shape, found, rest)


def _spread(c: Context, w: Const) -> tuple[Const, Pair, Pair]:
    """Weights (O, I, ky, kx) with zeros between dilated taps, the kernel and the dilation."""
    dilation = _pair(c, "dilations", w.value.ndim - 2, 1)
    if w.value.ndim == 3:
        w = moved(w, lambda a: a[:, :, None])
    ky, kx = w.shape[2], w.shape[3]
    size = (ky - 1) * dilation[0] + 1, (kx - 1) * dilation[1] + 1
    if size[0] * size[1] * w.value.size // max(ky * kx, 1) > 2**26:
        raise c.refuse(f"its dilations are {dilation}", "use smaller ones")

    def apart(a: Any) -> Any:
        wide = np.zeros((*a.shape[:2], *size), a.dtype)
        wide[:, :, :: dilation[0], :: dilation[1]] = a
        return wide

    if dilation == (1, 1):
        return w, size, dilation
    if w.codes is None or w.scale is None:
        return Const(apart(w.value)), size, dilation
    scale = apart(np.broadcast_to(w.scale, w.codes.shape))
    scale[scale == 0] = 1.0
    return Const(apart(w.value), apart(w.codes), scale), size, dilation


def _pair(c: Context, name: str, rank: int, default: int) -> Pair:
    given = [int(v) for v in c.here.get(name, [default] * rank)]
    if len(given) != rank or any(not 1 <= v <= 2**15 for v in given):
        raise c.refuse(f"its {name} are {given[:6]}", f"give {rank} positive numbers")
    return (given[0], given[1]) if rank == 2 else (1, given[0])


def window(c: Context, sizes: Sequence[int], kernel: Pair, dilation: Pair = (1, 1)) -> tuple[Pair, Padding]:
    """Strides and pads (top, left, bottom, right) of a convolution or pool on maps of these sizes."""
    rank = len(sizes)
    stride = _pair(c, "strides", rank, 1)
    given = [int(v) for v in c.here.get("pads", [0] * 2 * rank)]
    mode = c.here.get("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        ends = [_same(n, k, s, mode) for n, k, s in zip(sizes, kernel[-rank:], stride[-rank:], strict=True)]
        given = [a for a, _ in ends] + [b for _, b in ends]
    elif mode not in ("NOTSET", "VALID", ""):
        raise c.refuse(f"its auto_pad is {mode!r}", "use NOTSET, VALID or SAME_UPPER")
    elif mode == "VALID":
        given = [0] * 2 * rank
    if len(given) != 2 * rank or any(not 0 <= v <= 2**15 for v in given):
        raise c.refuse(f"its pads are {given[:8]}", f"give {2 * rank} numbers from 0 on")
    if rank == 1:
        return stride, (0, given[0], 0, given[1])
    return stride, (given[0], given[1], given[2], given[3])


def _same(size: int, kernel: int, stride: int, mode: str) -> Pair:
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return (total // 2, total - total // 2) if mode == "SAME_UPPER" else (total - total // 2, total // 2)


def kernel_shape(c: Context, rank: int) -> Pair:
    if "kernel_shape" not in c.here.attributes:
        raise c.refuse("it has no kernel_shape", "export the model again")
    return _pair(c, "kernel_shape", rank, 1)
