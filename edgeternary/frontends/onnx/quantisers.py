"""Quantisers of ONNX and QONNX as functions of float32, operator by operator as their reference has them.

Quant, IntQuant   clamp(x / scale + zero, lo, hi), then rounded: the clamp comes first; signed 1 bit: +1
                  where x / scale + zero >= 0, else -1. qonnx, custom_op/general/intquant.py
BipolarQuant      +1 where x >= 0, else -1. custom_op/general/bipolar_quant.py
Trunc             round(x / scale + zero) / 2^k, clamped (version 2 alone), then rounded. trunc.py
MultiThreshold    the count of thresholds t with x >= t. multithreshold.py
QuantizeLinear    clamp(round half to even(x / scale) + zero, lo, hi). ONNX, operators QuantizeLinear
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgeternary.frontends.onnx.values import Grid, Link, Numbers
from edgeternary.ir import smallest

F = np.float32
Rounding = Callable[[Any], Any]


def _away(x: Any) -> Any:
    return np.sign(x) * np.ceil(np.abs(x))


def _half_away(x: Any) -> Any:
    return np.sign(x) * np.floor(np.abs(x) + F(0.5))


def _half_in(x: Any) -> Any:
    return np.sign(x) * np.ceil(np.abs(x) - F(0.5))


ROUNDINGS: dict[str, Rounding] = {
    "ROUND": np.rint, "HALF_EVEN": np.rint, "CEIL": np.ceil, "FLOOR": np.floor, "UP": _away,
    "DOWN": np.trunc, "ROUND_TO_ZERO": np.trunc, "HALF_UP": _half_away, "HALF_DOWN": _half_in,
}  # fmt: skip


@dataclass(frozen=True)
class Quantiser:
    """A function from float32 to integer codes, and what they stand for.

    codes  float32 (C, n) -> integers as floats
    type   of the codes in the graph, lo and hi the ends of their range
    back   from codes to the tensor of the file; None where that tensor holds the codes themselves
    middle a number added to a code whose float stands for it, where the quantiser does not round to nearest
    source the numbers that codes come from, where the tensor of the file holds the codes; None: those of grid
    own    whether channels differ in more than the numbers of `codes`
    """

    codes: Link
    type: str
    lo: int
    hi: int
    grid: Grid
    back: Link | None
    middle: float = 0.0
    own: bool = False
    source: Grid | None = None


def limits(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """The range of IntQuant's codes; a signed one of 1 bit is -1 and +1."""
    if bits == 1 and signed:
        return -1, 1
    if signed:
        return -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    return 0, 2**bits - 1 - narrow


def type_of(lo: int, hi: int, bits: int) -> str:
    if (lo, hi) == (-1, 1):
        return "bipolar" if bits == 1 else "ternary"
    if bits == 1:
        return "binary"
    return f"int{bits}" if lo < 0 else f"uint{bits}"


def int_codes(x: Any, scale: Any, zero: Any, lo: int, hi: int, rounding: Rounding, sign: bool) -> Any:
    y = x / scale + zero
    if sign:
        return np.where(y >= 0, F(1), F(-1))
    return rounding(np.clip(y, F(lo), F(hi)))


def dequantise(q: Any, scale: Any, zero: Any) -> Any:
    return (q.astype(F) - zero) * scale


def quant(
    scale: Numbers, zero: Numbers, bits: int, *, signed: bool, narrow: bool, rounding: str
) -> Quantiser:
    """Quant and IntQuant. scale and zero float32."""
    lo, hi = limits(bits, signed, narrow)
    sign = bits == 1 and signed
    rule = ROUNDINGS[rounding]
    codes = Link(lambda x, s, z: int_codes(x, s, z, lo, hi, rule, sign), (scale, zero))
    grid = Grid(scale.astype(np.float64), np.rint(zero).astype(np.int64))
    middle = {"FLOOR": 0.5, "CEIL": -0.5, "DOWN": 0.25, "UP": -0.25}.get(rounding, 0.0) * (not sign)
    return Quantiser(codes, type_of(lo, hi, bits), lo, hi, grid, Link(dequantise, (scale, zero)), middle)


def bipolar(scale: Numbers) -> Quantiser:
    codes = Link(lambda x: np.where(x >= 0, F(1), F(-1)))
    back = Link(lambda q, s: q.astype(F) * s, (scale,))
    return Quantiser(codes, "bipolar", -1, 1, Grid(scale.astype(np.float64)), back)


def trunc(
    scale: Numbers,
    zero: Numbers,
    divisor: Numbers,
    after: Numbers,
    limits: tuple[int, int] | None,
    bits: int,
    rounding: str,
) -> Quantiser:
    """Trunc: divisor 2^k, after: the scale of the result; limits: None in version 1, which does not clamp.

    Without a clamp the codes are those of `bits` bits, of both signs.
    """
    lo, hi = limits or (-(2 ** (bits - 1)), 2**bits - 1)
    rule = ROUNDINGS[rounding]

    def codes(x: Any, s: Any, z: Any, d: Any) -> Any:
        y = np.rint(x / s + z) / d
        return rule(y if limits is None else np.clip(y, F(lo), F(hi)))

    kind = type_of(lo, hi, bits) if limits else f"int{bits + 1}"
    shift = (zero / divisor).astype(F) if limits else zero
    grid = Grid(after.astype(np.float64), np.rint(shift).astype(np.int64))
    return Quantiser(
        Link(codes, (scale, zero, divisor)), kind, lo, hi, grid, Link(dequantise, (after, shift))
    )


def multi_threshold(t: np.ndarray, scale: float, bias: float) -> Quantiser:
    """MultiThreshold: t (1 or C, K); the result is scale * count + bias."""
    count = t.shape[1]
    pair = count == 1 and bias == -scale / 2  # a count of 0 and 1 stands for -1 and +1
    zero = 0 if pair else int(np.rint(-bias / scale))
    whole = pair or float(F(-zero * scale)) == float(F(bias))
    zero = zero if whole else 0

    def codes(x: Any) -> Any:
        x = np.broadcast_to(x, (max(len(t), len(x)), x.shape[1]))
        y = np.zeros(x.shape, F)
        for k in range(count):
            y += x >= t[:, k, None]
        return 2 * y - 1 if pair else y - F(zero)

    def back(q: Any) -> Any:
        y = q.astype(F)
        return F(scale) * ((y + 1) / 2 if pair else y + F(zero)) + F(bias)

    grid = Grid(np.float64(scale / 2 if pair else scale), offset=np.float64(0 if whole else bias))
    lo, hi = (-1, 1) if pair else (-zero, count - zero)
    kind = "bipolar" if pair else smallest(lo, hi).name
    return Quantiser(Link(codes), kind, lo, hi, grid, Link(back), own=len(t) > 1)


def linear(scale: Numbers, zero: Numbers, lo: int, hi: int, type: str) -> Quantiser:
    """QuantizeLinear: the tensor of the file holds the codes themselves."""
    codes = Link(lambda x, s, z: np.clip(np.rint(x / s) + z, F(lo), F(hi)), (scale, zero.astype(F)))
    source = Grid(scale.astype(np.float64), zero)
    return Quantiser(codes, type, lo, hi, Grid(np.float64(1)), None, source=source)
