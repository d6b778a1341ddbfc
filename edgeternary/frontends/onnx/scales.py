"""Weights as integers with one scale for each output channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.onnx.values import Const, Context

MOST = 127


@dataclass(frozen=True)
class Weights:
    """value[o, ...] = codes[o, ...] * scale[o]; codes int64, scale float64 (O,)."""

    codes: NDArray[np.int64]
    scale: NDArray[np.float64]

    @property
    def type(self) -> str:
        return weight_type(self.codes)


def weight_type(codes: NDArray[np.int64]) -> str:
    if np.all(np.abs(codes) == 1):
        return "bipolar"
    lo, hi = int(codes.min()), int(codes.max())
    if max(-lo, hi) <= 1:
        return "ternary"
    return f"int{max((-lo - 1).bit_length() if lo < 0 else 0, hi.bit_length()) + 1}"


def weights(c: Context, const: Const, inputs: NDArray[np.float64]) -> Weights:
    """The weights (O, I, ...) as integers, where input i has the scale inputs[o or 0, i, 1 ...].

    A weight's value is codes * scale, of the quantiser before it; without one it is read as an integer, or as
    a multiple of the smallest one of its output channel.
    """
    codes, scale = _codes(c, const)
    rows = len(codes)
    each = np.broadcast_to(scale * inputs, codes.shape).reshape(rows, -1)
    flat = codes.reshape(rows, -1)
    used = flat != 0
    least = np.where(used, each, np.inf).min(axis=1)
    least = np.where(np.isfinite(least), least, each[:, 0])
    ratio = np.where(used, np.rint(each / least[:, None]), 0)
    off = used & (ratio * least[:, None] != each)
    if off.any():
        raise c.refuse(
            f"in output channel {int(np.argwhere(off)[0][0])} the scales of its inputs times those of its "
            "weights have no common measure",
            "give its input one scale for all channels, and its weights one scale for each output channel",
        )
    whole = (flat * ratio).astype(np.int64)
    if np.abs(whole).max(initial=0) > MOST + 1 or whole.max(initial=0) > MOST:
        raise c.refuse(
            f"a weight is {int(whole.flat[np.abs(whole).argmax()])} steps",
            "weights have at most 8 bits, -128 to 127: quantise them so (Brevitas: weight_bit_width=8)",
        )
    return Weights(whole.reshape(codes.shape), least)


def _codes(c: Context, const: Const) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if const.codes is not None and const.scale is not None:
        return const.codes, np.broadcast_to(const.scale, const.codes.shape)
    value = const.value.astype(np.float64)
    whole = np.rint(value)
    if np.array_equal(whole, value) and np.abs(whole).max(initial=0) <= MOST + 1:
        return whole.astype(np.int64), np.ones(value.shape)
    found = measured(value.reshape(1, -1))
    if found is None or np.abs(found[0]).max(initial=0) > MOST:  # one measure for each output channel, then
        found = measured(value.reshape(len(value), -1))
    if found is None or np.abs(found[0]).max(initial=0) > MOST + 1:
        raise c.refuse(
            "its weights are floats that no quantiser made",
            "export them through a quantiser (Quant, BipolarQuant, DequantizeLinear)",
        )
    codes, scale = found
    wide = np.broadcast_to(scale[:, None], codes.shape)
    return codes.reshape(value.shape), wide.reshape(value.shape)


def measured(rows: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Each row as integers times its greatest common measure, exactly; None where they are too large."""
    if not np.isfinite(rows).all():
        return None
    fraction, exponent = np.frexp(rows)
    least = np.where(rows != 0, exponent, 10_000).min(axis=1)
    least = np.where(least == 10_000, 0, least)
    if np.max(np.where(rows != 0, exponent, least[:, None]) - least[:, None]) > 30:
        return None
    whole = np.ldexp(fraction, exponent - least[:, None] + 24).astype(np.int64)  # float32 has 24 digits
    common = np.maximum(np.gcd.reduce(whole, axis=1), 1)
    codes = whole // common[:, None]
    return codes, np.ldexp(common.astype(np.float64), least - 24)


def bias_of(
    c: Context, const: Const | None, scale: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A bias as integers beside an accumulator of this scale, and what is left as float64, each (O,).

    It is all integers where it was quantised with the scale of the accumulator (their product, in float32),
    or where it is an exact multiple of it; else all of it is left.
    """
    rows = len(scale)
    whole, rest = np.zeros(rows, np.int64), np.zeros(rows)
    if const is None:
        return whole, rest
    value = const.value.astype(np.float64).reshape(-1)
    if value.size not in (1, rows) or not np.isfinite(value).all():
        raise c.refuse(f"its bias of shape {const.shape} meets {rows} channels", "give it one number each")
    value = np.broadcast_to(value, (rows,))
    if const.codes is not None and const.scale is not None:
        step = np.broadcast_to(const.scale.reshape(-1), (const.scale.size,))
        near = np.abs(step / scale - 1) < 2.0**-22 if step.size in (1, rows) else np.zeros(rows, bool)
        if np.all(near | (np.broadcast_to(const.codes.reshape(-1), (rows,)) == 0)):
            return np.broadcast_to(const.codes.reshape(-1), (rows,)).copy(), rest
    steps = np.rint(value / np.where(scale == 0, 1, scale))
    if np.all(steps * scale == value) and np.all(np.abs(steps) < 2**30):
        return steps.astype(np.int64), rest
    return whole, value.copy()
