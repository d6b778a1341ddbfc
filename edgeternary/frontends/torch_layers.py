"""The table {operator of torch.export: how it is lowered}: layers that make integer values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from edgeternary.frontends.layout import graph_shape
from edgeternary.frontends.torch_luts import compare, group_count, lut
from edgeternary.frontends.torch_moves import part, permute, reshape, select, transpose
from edgeternary.frontends.torch_quantize import lookup, quantize, requantize, sign
from edgeternary.frontends.torch_states import accumulate, lif
from edgeternary.frontends.torch_values import Codes, Context, Lowered
from edgeternary.nn.linear import Quantized
from edgeternary.nn.ops import conv_size, reduced
from edgeternary.nn.structure import Add as Sum
from edgeternary.nn.structure import Concat as Joined
from edgeternary.nn.structure import Residual
from edgeternary.ops import Add, Concat, Conv2d, Dense, MaxPool, Mul, Reshape, SumPool, Upsample

Handler = Callable[..., Lowered]
Pair = tuple[int, int]


def _weights(c: Context, weight: Lowered) -> NDArray[np.int64]:
    """Weight codes as integers; refuses a layer in its first training stage."""
    if isinstance(c.module, Quantized) and c.module.float_weights:
        raise c.refuse(
            "its weights are float, as in the first of two training stages", "set its float_weights to False"
        )
    w = c.integers(weight, "weight")
    top = int(np.abs(w).max(initial=0))
    if top > 127:
        raise c.refuse(f"a weight is {top}", "weights have at most 8 bits")
    return w


def _weight_type(c: Context, weights: NDArray[np.int64]) -> str:
    if isinstance(c.module, Quantized):
        name = c.module.quantizer.name
        return (
            "ternary" if name == "bipolar" and not np.all(weights) else name
        )  # between dilated taps are zeros
    if np.all(np.abs(weights) == 1):
        return "bipolar"
    top = int(np.abs(weights).max())
    return "ternary" if top <= 1 else f"int{top.bit_length() + 1}"


def dense(c: Context, x: Lowered, weight: Lowered, bias: Lowered | None = None) -> Codes:
    x = c.codes(x)
    w = _weights(c, weight)
    if len(x.shape) != 1 or w.shape[1] != x.shape[0]:
        raise c.refuse(
            f"it takes {w.shape[1]} flat inputs and gets {x.shape}", "put an edgeternary.nn.Flatten before it"
        )
    kind = _weight_type(c, w)
    if x.order is not None:
        w = w[:, np.argsort(x.order)]
    b = np.zeros(len(w), np.int64) if bias is None else c.integers(bias, "bias")
    op = Dense(
        name=c.name(), inputs=(x.name,), weights=w.astype(np.int8), weight_type=kind, bias=b.astype(np.int32)
    )
    return c.emit(op, (len(w),))


def aten_linear(c: Context, x: Lowered, weight: Lowered, bias: Lowered | None = None) -> Codes:
    _check_precision(c, "matmul")
    return dense(c, x, weight, bias)


def _check_precision(c: Context, op: str) -> None:
    if reduced(op):
        raise c.refuse(
            "torch is set to round float32 inside products (set_float32_matmul_precision, fp32_precision)",
            'leave both at their defaults, "highest" and "none", or use the layer of edgeternary.nn',
        )


def conv2d(
    c: Context,
    x: Lowered,
    weight: Lowered,
    stride: Sequence[int],
    pad: Sequence[int],
    pad_value: int,
    groups: int,
    bias: Lowered | None = None,
) -> Codes:
    x = c.map(x)
    w = _weights(c, weight)
    b = np.zeros(len(w), np.int64) if bias is None else c.integers(bias, "bias")
    (sy, sx), (top, left, bottom, right) = stride, pad
    op = Conv2d(
        name=c.name(), inputs=(x.name,), weights=w.transpose(0, 2, 3, 1).astype(np.int8).copy(),
        weight_type=_weight_type(c, w), bias=b.astype(np.int32), stride=(sy, sx),
        pad=(top, left, bottom, right), pad_value=pad_value, groups=groups,
    )  # fmt: skip
    _, height, width = x.shape
    size = conv_size(height, top, bottom, w.shape[2], sy), conv_size(width, left, right, w.shape[3], sx)
    return c.emit(op, (len(w), *size))


def aten_conv2d(
    c: Context,
    x: Lowered,
    weight: Lowered,
    bias: Lowered | None = None,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Codes:
    if max(dilation) > 1:
        raise c.refuse("dilated convolutions are not supported", "use a larger kernel or a stride")
    _check_precision(c, "conv")
    if not torch._C._get_mkldnn_enabled() or not torch.backends.mkldnn.is_available():
        raise c.refuse(
            "without oneDNN, torch computes its sums by NNPACK, which rounds them",
            "use edgeternary.nn.Conv2d, which switches NNPACK off",
        )
    py, px = padding
    return conv2d(c, x, weight, stride, (py, px, py, px), 0, groups, bias)


def _window(v: Sequence[int] | int, rank: int) -> Pair:
    """A kernel, stride or padding of a pool on (C, L) or (C, H, W) as (y, x)."""
    v = [v] if isinstance(v, int) else list(v)
    y, x = v if len(v) == 2 else (v[0], v[0])
    return (y, x) if rank == 3 else (-1, x)


def max_pool(
    c: Context,
    x: Lowered,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] | int = 0,
    dilation: Sequence[int] | int = 1,
    ceil_mode: bool = False,
) -> Codes:
    x = c.map(x, "pool accumulators (before the batch-norm) or codes (after the activation)")
    if np.max(dilation) > 1:
        raise c.refuse("dilated pools are not supported", "use a larger kernel or a stride")
    rank = len(x.shape)
    (ky, kx), (sy, sx), (py, px) = (_window(v, rank) for v in (kernel, stride or kernel, padding))
    if rank == 2:
        ky, sy, py = 1, 1, 0
    minimum = np.zeros(x.channels, np.uint8)
    more = (0, 0)
    if ceil_mode:
        sizes = x.shape[1:] if rank == 3 else (1, x.shape[1])
        more = beyond(sizes[0], ky, sy, py), beyond(sizes[1], kx, sx, px)
    pad = (py, px, py + more[0], px + more[1])
    op = MaxPool(name=c.name(), inputs=(x.name,), kernel=(ky, kx), stride=(sy, sx), pad=pad, minimum=minimum)
    return c.emit(op, _pooled(x, (ky, kx), (sy, sx), pad))


def beyond(size: int, kernel: int, stride: int, pad: int) -> int:
    """What ceil_mode adds after one axis, so that a last window holds what is left; it starts inside."""
    windows = -((kernel - size - 2 * pad) // stride)  # after the first
    if windows * stride >= size + pad:
        windows -= 1
    return max(0, windows * stride + kernel - size - 2 * pad)


def sum_pool(c: Context, x: Lowered, kernel: Sequence[int], stride: Sequence[int]) -> Codes:
    x = c.map(x, "put the activation before the pool")
    (ky, kx), (sy, sx) = kernel, stride
    op = SumPool(name=c.name(), inputs=(x.name,), kernel=(ky, kx), stride=(sy, sx))
    return c.emit(op, _pooled(x, (ky, kx), (sy, sx), (0, 0, 0, 0)))


def _pooled(x: Codes, kernel: Pair, stride: Pair, pad: tuple[int, ...]) -> tuple[int, ...]:
    sizes = x.shape[1:] if len(x.shape) == 3 else (1, x.shape[1])
    around = pad[:2], pad[2:]
    out = tuple(
        conv_size(n, *p, k, s) for n, p, k, s in zip(sizes, zip(*around), kernel, stride, strict=True)
    )
    return (x.channels, *(out if len(x.shape) == 3 else out[1:]))


def add(c: Context, a: Codes, b: Codes) -> Codes:
    if not isinstance(c.module, Residual | Sum):
        raise c.refuse(
            "it adds two quantised values whose scales nothing ties together",
            "use edgeternary.nn.Residual, which owns the scale that both branches share",
        )
    for x in (a, b):
        if c.values[x.name].type.name == "int32":
            raise c.refuse("one branch is an accumulator, not codes", "end both branches with an Activation")
    if a.shape != b.shape or not _same_order(a, b):
        raise c.refuse(
            f"its branches have the shapes {a.shape} and {b.shape}", "give both branches one shape"
        )
    return c.emit(Add(name=c.name(), inputs=(a.name, b.name)), a.shape, a.order)


def mul(c: Context, a: Lowered, b: Lowered) -> Codes:
    a, b = c.codes(a), c.codes(b)
    shape = max(a.shape, b.shape, key=lambda shape: (math.prod(shape), len(shape)))
    a, b = _spread(c, a, shape), _spread(c, b, shape)
    if a.shape != b.shape or not _same_order(a, b):
        raise c.refuse(
            f"it multiplies values of the shapes {a.shape} and {b.shape}",
            "give both one shape, or one of them a single pixel, (N, C, 1, 1)",
        )
    return c.emit(Mul(name=c.name(), inputs=(a.name, b.name)), a.shape, a.order)


def _spread(c: Context, x: Codes, shape: tuple[int, ...]) -> Codes:
    """A gate, of one pixel or flat, at every pixel of `shape`; other values stay as they are."""
    if x.shape == shape or x.order is not None or x.shape != (shape[0], *([1] * (len(x.shape) - 1))):
        return x
    pixel = (shape[0], *([1] * (len(shape) - 1)))
    if len(x.shape) == 1:
        op = Reshape(name=c.name("pixel"), inputs=(x.name,), shape=graph_shape(pixel))
        x = c.emit(op, pixel)
    height, width, _ = graph_shape(shape)
    if height == width == 1:
        return Codes(x.name, shape)
    spread = Upsample(name=c.name("spread"), inputs=(x.name,), factor=(height, width))
    return c.emit(spread, shape)


def upsample(c: Context, x: Lowered, factor: Sequence[int], fill: str) -> Codes:
    x = c.codes(x)
    (fy, fx), (_, height, width) = factor, x.shape
    op = Upsample(name=c.name(), inputs=(x.name,), factor=(fy, fx), fill=fill)
    return c.emit(op, (x.channels, height * fy, width * fx))


def _same_order(a: Codes, b: Codes) -> bool:
    if a.order is None or b.order is None:
        return a.order is b.order
    return np.array_equal(a.order, b.order)


def cat(c: Context, parts: Sequence[Lowered], dim: int = 0) -> Codes:
    xs = [c.codes(x) for x in parts]
    if len(xs) == 1:
        return xs[0]
    types = {c.values[x.name].type.name for x in xs}
    mixed = len(types) > 1 and not isinstance(c.module, Joined)
    if mixed or "int32" in types or dim not in (1, -len(xs[0].shape)):
        raise c.refuse(
            f"it joins values of the types {', '.join(sorted(types))} along axis {dim}",
            "join channels (axis 1) of activations of one kind",
        )
    xs = [c.per_channel(x) for x in xs]
    shape = (sum(x.channels for x in xs), *xs[0].shape[1:])
    return c.emit(Concat(name=c.name(), inputs=tuple(x.name for x in xs)), shape, _joined_order(xs))


def _joined_order(xs: Sequence[Codes]) -> NDArray[np.int64] | None:
    """Where the elements of joined vectors lie, some of which are flattened maps."""
    if all(x.order is None for x in xs):
        return None
    starts = np.cumsum([0, *(x.channels for x in xs)])
    own = [np.arange(x.channels) if x.order is None else x.order for x in xs]
    return np.concatenate([start + order for start, order in zip(starts, own)])


_aten, _ours = torch.ops.aten, torch.ops.edgeternary
LAYERS: dict[object, Handler] = {
    _ours.dense.default: dense,
    _ours.conv2d.default: conv2d,
    _ours.sum_pool.default: sum_pool,
    _ours.sign.default: sign,
    _ours.quantize.default: quantize,
    _ours.requantize.default: requantize,
    _ours.lookup.default: lookup,
    _ours.lif.default: lif,
    _ours.accumulate.default: accumulate,
    _ours.upsample.default: upsample,
    _ours.mul.default: mul,
    _ours.compare.default: compare,
    _ours.lut.default: lut,
    _ours.group_count.default: group_count,
    _aten.linear.default: aten_linear,
    _aten.conv2d.default: aten_conv2d,
    _aten.max_pool1d.default: max_pool,
    _aten.max_pool2d.default: max_pool,
    _aten.flatten.using_ints: reshape,
    _aten.view.default: reshape,
    _aten.reshape.default: reshape,
    _aten.squeeze.dim: reshape,
    _aten.squeeze.dims: reshape,
    _aten.squeeze.default: reshape,
    _aten.unsqueeze.default: reshape,
    _aten.permute.default: permute,
    _aten.transpose.int: transpose,
    _aten.slice.Tensor: part,
    _aten.select.int: select,
    _aten.cat.default: cat,
}
