"""Operators whose tensors are integers, and Pad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from edgeternary.frontends.onnx.codes import quantised
from edgeternary.frontends.onnx.matrices import conv, dense
from edgeternary.frontends.onnx.pools import global_average
from edgeternary.frontends.onnx.quantisers import F, Quantiser
from edgeternary.frontends.onnx.quantising import INTEGERS
from edgeternary.frontends.onnx.values import Const, Context, Grid, Link, Live, Numbers, Tensor


def _codes(c: Context, x: Tensor, zero: Tensor | None) -> Live:
    """A tensor of integers minus its zero point."""
    if not isinstance(x, Live) or x.chain:
        raise c.refuse("its input is no tensor of integers", "put a QuantizeLinear before it")
    return replace(x, grid=Grid(np.asarray(1.0), np.asarray(_number(c, zero))))


def _number(c: Context, k: Tensor | None) -> int:
    if k is None:
        return 0
    if not isinstance(k, Const) or k.value.size != 1:
        raise c.refuse("its zero point is not one constant", "use one zero point for its input")
    return int(k.value.reshape(-1)[0])


def _weights(c: Context, w: Tensor, zero: Tensor | None, rank: int) -> Const:
    """Integer weights (O, ...) minus their zero points, with a scale of 1."""
    if not isinstance(w, Const) or isinstance(zero, Live):
        raise c.refuse("its weights are no constant", "use constant weights")
    codes = w.value.astype(np.int64)
    if zero is not None:
        codes = codes - zero.value.astype(np.int64).reshape(-1, *([1] * rank))
    return Const(codes.astype(F), codes, np.ones(codes.shape))


def _integers(x: Live) -> Live:
    """An accumulator as the int32 tensor that it is in the file."""
    return replace(x, chain=(), grid=Grid(np.asarray(1.0)))


def conv_integer(
    c: Context, x: Tensor, w: Tensor, x_zero: Tensor | None = None, w_zero: Tensor | None = None
) -> Live:
    rank = w.value.ndim - 1 if isinstance(w, Const) else 0
    return _integers(conv(c, _codes(c, x, x_zero), _weights(c, w, w_zero, rank)))


def matmul_integer(
    c: Context, a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None
) -> Live:
    return _integers(dense(c, _codes(c, a, a_zero), _columns(c, b, b_zero), None))


def _columns(c: Context, b: Tensor, zero: Tensor | None) -> Const:
    """Weights (inputs, outputs) as (outputs, inputs)."""
    if not isinstance(b, Const) or b.value.ndim != 2:
        raise c.refuse("its weights are no constant (inputs, outputs)", "use constant weights")
    return _weights(c, Const(b.value.T), zero, 1)


def qlinear_conv(c: Context, *xs: Tensor | None) -> Live:
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, *rest = xs
    bias = rest[0] if rest else None
    if isinstance(bias, Const):
        bias = Const(bias.value.astype(np.float64))
    rank = w.value.ndim - 1 if isinstance(w, Const) else 0
    acc = conv(c, _codes(c, _some(c, x), x_zero), _weights(c, _some(c, w), w_zero, rank), bias)  # type: ignore[arg-type]
    return _scaled(c, _integers(acc), (x_scale, w_scale, y_scale), y_zero)


def qlinear_matmul(c: Context, *xs: Tensor | None) -> Live:
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = xs
    acc = dense(c, _codes(c, _some(c, a), a_zero), _columns(c, _some(c, b), b_zero), None)
    return _scaled(c, _integers(acc), (a_scale, b_scale, y_scale), y_zero)


def qgemm(c: Context, *xs: Tensor | None) -> Live:
    """ONNX Runtime's own: a Gemm with an integer bias, requantized as a QLinearMatMul is."""
    a, a_scale, a_zero, b, b_scale, b_zero, *rest = xs
    bias, y_scale, y_zero = (*rest, None, None, None)[:3]
    node = c.here
    if node.get("transA", 0) or float(node.get("alpha", 1.0)) != 1 or y_scale is None:
        raise c.refuse("it transposes, scales, or gives floats", "use quant_format=QuantFormat.QDQ")
    w = _weights(c, _some(c, b), b_zero, 1) if node.get("transB", 0) else _columns(c, _some(c, b), b_zero)
    offset = Const(bias.value.astype(np.float64)) if isinstance(bias, Const) else None
    acc = dense(c, _codes(c, _some(c, a), a_zero), w, offset)
    return _scaled(c, _integers(acc), (a_scale, b_scale, y_scale), y_zero)


def qlinear_mean(c: Context, *xs: Tensor | None) -> Live:
    """ONNX Runtime's QLinearGlobalAveragePool: sum * (x_scale / (y_scale * count)), rounded half to even."""
    x, x_scale, x_zero, y_scale, y_zero = xs
    if c.here.get("channels_last", 0) or not isinstance(y_scale, Const):
        raise c.refuse("it has the channels last", "use quant_format=QuantFormat.QDQ")
    total = global_average(c, _codes(c, _some(c, x), x_zero))
    grid = total.grid
    assert grid is not None
    count = np.asarray(round(1 / float(grid.scale)), F)
    difference = Link(lambda q, z: (q - z).astype(F), (np.asarray(grid.zero),))
    after = Const(y_scale.value.astype(F) * count)
    one = Const(np.ones((), F))
    return _scaled(c, replace(total, chain=(difference,)), (x_scale, one, after), y_zero)


def _some(c: Context, x: Tensor | None) -> Tensor:
    if x is None:
        raise c.refuse("an input is left out", "export the model again")
    return x


def _scaled(c: Context, acc: Live, scales: tuple[Tensor | None, ...], zero: Tensor | None) -> Live:
    """float32(acc) * (x_scale * w_scale / y_scale), rounded half to even, plus the zero point, saturated."""
    if not all(isinstance(k, Const) for k in scales) or not isinstance(zero, Const):
        raise c.refuse("its scales are no constants", "use static quantisation")
    x, w, y = (k.value.astype(F).reshape(-1) for k in scales if isinstance(k, Const))
    gain = x * w / y
    if not np.all(np.isfinite(gain)) or np.any(gain <= 0) or y.size != 1 or x.size != 1:
        raise c.refuse("its scales are not above 0, or are several", "use one scale for each tensor")
    name = zero.value.dtype.name
    if name not in INTEGERS:
        raise c.refuse(f"its result is {name}", f"use one of {', '.join(INTEGERS)}")
    lo, hi = INTEGERS[name]
    z = F(_number(c, zero))
    codes = Link(lambda q, g: np.clip(np.rint(q.astype(F) * g) + z, F(lo), F(hi)), (_numbers(gain),))
    q = Quantiser(codes, name, lo, hi, Grid(np.asarray(1.0)), None)
    return quantised(c, acc, q)


def _numbers(n: Numbers) -> Numbers:
    return n.reshape(()) if n.size == 1 else n


def pad(
    c: Context, x: Live, pads: Tensor | None = None, value: Tensor | None = None, axes: Tensor | None = None
) -> Live:
    """Pads of a map that the convolution or pool after it could have: codes around the map."""
    node = c.here
    rank = len(x.shape) + 1
    given = node.get("pads", []) if pads is None else _list(c, pads)
    if axes is not None:
        which = [a % rank for a in _list(c, axes)]
        wide = [0] * 2 * rank
        for i, axis in enumerate(which):
            wide[axis], wide[axis + rank] = given[i], given[i + len(which)]
        given = wide
    if not any(given):
        return x
    number = node.get("value", 0.0) if value is None else float(_list(c, value, float)[0])
    if node.get("mode", "constant") != "constant" or len(given) != 2 * rank or rank not in (3, 4):
        raise c.refuse("it pads in another way than with a constant around maps", "use mode=constant")
    if any(given[i] for i in (0, 1, rank, rank + 1)) or min(given) < 0 or x.order is not None:
        raise c.refuse(f"its pads are {list(given)[:8]}", "pad the axes after the channels, by 0 or more")
    return padded(c, x, given[2:rank], given[rank + 2 :], number)


def padded(c: Context, x: Live, before: list[int], after: list[int], number: float) -> Live:
    """The tensor with pads that the convolution after it takes over."""
    if (
        any(x.pads)
        or x.grid is None
        or np.ndim(x.grid.scale)
        or np.ndim(x.grid.zero)
        or np.any(x.grid.offset)
    ):
        raise c.refuse("it pads what is not quantised, or twice", "quantise with one scale before it")
    scale, zero = float(x.grid.scale), int(x.grid.zero)
    steps = np.rint(number / scale)
    if abs(steps) > 2**16 or steps * scale != number:
        raise c.refuse(f"it pads with {number:g}, which is no code of its input", "pad with 0")
    top, left = before if len(before) == 2 else (0, before[0])
    bottom, right = after if len(after) == 2 else (0, after[0])
    c.remarks.append("part of the convolution after it")
    return replace(x, pads=(top, left, bottom, right), pad_code=zero + int(steps))


def _list(c: Context, k: Tensor, kind: Callable[[Any], Any] = int) -> list[Any]:
    if not isinstance(k, Const):
        raise c.refuse("its pads depend on the input", "export it with fixed sizes")
    return [kind(v) for v in k.value.reshape(-1)]
