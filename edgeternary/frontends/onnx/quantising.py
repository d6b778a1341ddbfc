"""The quantising operators: of constants, of the model's input, and of what is between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgeternary.frontends.onnx import quantisers as q
from edgeternary.frontends.onnx.codes import quantised
from edgeternary.frontends.onnx.functions import as_float
from edgeternary.frontends.onnx.inputs import first
from edgeternary.frontends.onnx.values import Const, Context, Grid, Link, Live, Numbers, Tensor

F = np.float32
MOST_BITS = 16
KINDS = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold", "QuantizeLinear", "Sign")

Broadcast = Callable[[Numbers, str], Numbers]


def quantise(c: Context, x: Tensor, *more: Tensor) -> Tensor:
    """Any of KINDS."""
    constants = _constants(c, more)
    if isinstance(x, Const):
        return _constant(c, x, constants)
    return _live(c, x if x.raw else as_float(x), constants)


def _live(c: Context, x: Live, constants: list[Const]) -> Live:
    made = read(c, constants, lambda k, what: c.numbers(k, x, what), x)
    return first(c, x, made) if x.raw else quantised(c, x, made)


def _constants(c: Context, more: tuple[Tensor, ...]) -> list[Const]:
    if not all(isinstance(k, Const) for k in more):
        raise c.refuse(
            "its scale or zero point depends on the input", "export with static quantisation, not dynamic"
        )
    return [k for k in more if isinstance(k, Const)]


def read(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    """The quantiser that the operator and its constants say; `wide` brings a constant to x."""
    try:
        return READERS[c.here.type](c, k, wide, x)
    except IndexError as error:
        raise c.refuse(f"it has {1 + len(k)} inputs, too few", "export the model again") from error


def _scale(c: Context, k: Const, wide: Broadcast, what: str = "scale") -> Numbers:
    scale = wide(k.value, what).astype(F)
    if np.any(~np.isfinite(scale)) or np.any(scale <= 0):
        raise c.refuse(f"its {what} is not above 0", "check its scale")
    return scale


def _rounding(c: Context, default: str) -> str:
    mode = str(c.here.get("rounding_mode", default)).upper()
    if mode not in q.ROUNDINGS:
        raise c.refuse(f"its rounding_mode is {mode[:20]!r}", f"use one of {', '.join(q.ROUNDINGS)}")
    return mode


def _bits(c: Context, k: Const, what: str = "bit width") -> int:
    width = k.value.reshape(-1)
    if width.size != 1 or float(width[0]) != int(float(width[0])) or not 1 <= int(width[0]) <= 32:
        raise c.refuse(f"its {what} is {width[:4].tolist()}", "use one integer from 1 to 16")
    return int(width[0])


def _quant(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    bits = _bits(c, k[2])
    if bits > MOST_BITS and x is not None:
        raise c.refuse(f"its codes have {bits} bits", f"activations have at most {MOST_BITS} bits")
    zero = wide(k[1].value, "zero point").astype(F)
    if np.any(zero != np.rint(zero)):
        raise c.refuse("its zero point is no integer", "use an integer zero point")
    signed, narrow = bool(c.here.get("signed", 1)), bool(c.here.get("narrow", 0))
    scale = _scale(c, k[0], wide)
    return q.quant(scale, zero, bits, signed=signed, narrow=narrow, rounding=_rounding(c, "ROUND"))


def _bipolar(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    return q.bipolar(_scale(c, k[0], wide))


def _trunc(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    scale, zero = _scale(c, k[0], wide), wide(k[1].value, "zero point").astype(F)
    rounding, before = _rounding(c, "FLOOR"), _bits(c, k[2])
    if len(k) < 5:  # version 1: the bits say how far to shift, and the scale stays
        bits = _bits(c, k[3])
        divisor = np.asarray(2.0 ** (before - bits), F)
        return q.trunc(scale, zero, divisor, scale, None, bits, rounding)
    after, bits = _scale(c, k[3], wide, "output scale"), _bits(c, k[4])
    divisor = np.asarray(2 ** np.rint(np.log2(after / scale)), F)
    signed, narrow = bool(c.here.get("signed", 1)), bool(c.here.get("narrow", 0))
    return q.trunc(scale, zero, divisor, after, q.limits(bits, signed, narrow), bits, rounding)


def _multi_threshold(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    t = k[0].value
    if x is None or t.ndim != 2 or not 1 <= t.shape[1] <= 255:
        raise c.refuse(f"its thresholds have the shape {t.shape}", "use (channels, 1 to 255)")
    if np.isnan(t).any():
        raise c.refuse("a threshold is NaN", "check its thresholds")
    layout = str(c.here.get("data_layout", ""))
    axis = layout.index("C") if "C" in layout else {3: 2}.get(len(x.shape) + 1, 1)
    if not 1 <= axis <= len(x.shape) or t.shape[0] not in (1, x.shape[axis - 1]):
        raise c.refuse(
            f"its thresholds {t.shape} meet {(1, *x.shape)}", "use one row, or one for each channel"
        )
    if t.shape[0] > 1:
        places = np.arange(t.shape[0]).reshape(-1, *([1] * (len(x.shape) - axis)))
        t = t[wide(places, "channels")]
    scale = float(c.here.get("out_scale", 1.0))
    if not 0 < scale < np.inf:
        raise c.refuse(f"its out_scale is {scale}", "use a scale above 0")
    return q.multi_threshold(np.sort(t, axis=1), scale, float(c.here.get("out_bias", 0.0)))


def _linear(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    zero = k[1].value if len(k) > 1 else np.zeros((), np.uint8)
    name = zero.dtype.name if len(k) > 1 else _output_type(c)
    ends = INTEGERS.get(name)
    if ends is None:
        raise c.refuse(f"its codes are {name}", f"use one of {', '.join(INTEGERS)}")
    if c.here.get("block_size", 0):
        raise c.refuse("its scales are for blocks", "use one scale, or one for each channel")
    scale = _scale(c, Const(_along(c, k[0].value, x)), wide)
    zero = wide(_along(c, zero.astype(np.int64), x), "zero point")
    return q.linear(scale, zero, *ends, name)


def _output_type(c: Context) -> str:
    from onnx import helper

    return helper.tensor_dtype_to_np_dtype(int(c.here.get("output_dtype", 0)) or 2).name


def _along(c: Context, k: Numbers, x: Live | None, rank: int = 0) -> Numbers:
    """Constants along `axis` of the tensor, so that they broadcast."""
    if k.size == 1:
        return k.reshape(())
    rank = rank if x is None else len(x.shape) + 1
    axis = int(c.here.get("axis", 1))
    axis = axis + rank if axis < 0 else axis
    if k.ndim != 1 or not 0 <= axis < max(rank, 1):
        raise c.refuse(f"its scale has the shape {k.shape}", "use one number, or one for each channel")
    return k.reshape(-1, *([1] * (rank - axis - 1)))


INTEGERS = {
    "int2": (-2, 1), "uint2": (0, 3), "int4": (-8, 7), "uint4": (0, 15), "int8": (-128, 127),
    "uint8": (0, 255), "int16": (-32768, 32767), "uint16": (0, 65535),
}  # fmt: skip


def _sign(c: Context, k: list[Const], wide: Broadcast, x: Live | None) -> q.Quantiser:
    back = Link(lambda codes: codes.astype(F))
    return q.Quantiser(Link(np.sign), "ternary", -1, 1, Grid(np.float64(1)), back)


READERS: dict[str, Callable[..., q.Quantiser]] = {
    "Quant": _quant, "IntQuant": _quant, "BipolarQuant": _bipolar, "Trunc": _trunc,
    "MultiThreshold": _multi_threshold, "QuantizeLinear": _linear, "Sign": _sign,
}  # fmt: skip


def _constant(c: Context, x: Const, k: list[Const]) -> Const:
    """A constant through a quantiser keeps its codes."""
    if c.here.type in ("MultiThreshold", "Trunc"):
        raise c.refuse("it quantises a constant", "store the constant's result")
    if c.here.type == "QuantizeLinear":
        k = [Const(_along(c, each.value, None, x.value.ndim)) for each in k]
    made = read(c, k, lambda each, what: each, None)
    shape = np.broadcast_shapes(x.shape, *(n.shape for n in made.codes.numbers))
    if shape != x.shape:
        raise c.refuse(f"its scale widens the constant {x.shape} to {shape}", "use a scale that broadcasts")
    with np.errstate(all="ignore"):
        y = made.codes.apply(x.value.astype(F), *made.codes.numbers)
    if np.isnan(y).any():
        raise c.refuse("a quantised constant is NaN", "check the weights")
    whole = y.astype(np.int64)
    if made.back is None:
        return Const(whole.astype(np.int32))
    value = made.back.apply(y, *made.back.numbers).astype(F)
    zero = np.broadcast_to(made.grid.zero, shape)
    return Const(value, whole - zero, np.broadcast_to(made.grid.scale, shape))


def dequantise(c: Context, x: Tensor, *more: Tensor) -> Tensor:
    """DequantizeLinear: (q - zero) * scale."""
    k = _constants(c, more)
    if not k:
        raise c.refuse("it has no scale", "export the model again")
    if c.here.get("block_size", 0):
        raise c.refuse("its scales are for blocks", "use one scale, or one for each channel")
    if isinstance(x, Const):
        parts = [_along(c, each.value, None, x.value.ndim) for each in k]
        scale = _scale(c, Const(parts[0]), lambda each, what: each)
        zero = parts[1].astype(np.int64) if len(parts) > 1 else np.zeros((), np.int64)
        codes = x.value.astype(np.int64) - zero
        if codes.shape != x.shape:
            raise c.refuse("its scale does not fit the constant", "use a scale that broadcasts")
        return Const(codes.astype(F) * scale, codes, np.broadcast_to(scale.astype(np.float64), codes.shape))
    if x.chain:
        raise c.refuse("its input is no integer", "put a QuantizeLinear before it")
    scale = _scale(c, Const(_along(c, k[0].value, x)), lambda each, what: c.numbers(each, x, what))
    given = k[1].value.astype(np.int64) if len(k) > 1 else np.zeros((), np.int64)
    zero = c.numbers(_along(c, given, x), x, "zero point")
    link = Link(lambda codes, s, z: (codes - z).astype(F) * s, (scale, zero))
    own = np.int64(0) if x.grid is None else x.grid.zero
    if x.base in c.inputs and scale.ndim == zero.ndim == 0:
        c.inputs[x.base].grid = Grid(scale.astype(np.float64), zero)
    return x.then(link, Grid(scale.astype(np.float64), zero + own))
