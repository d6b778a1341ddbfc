"""HARD_SWISH of int8 codes in the 16-bit fixed point of the reference: x * clamp((x + 3) / 6, 0, 1)."""

import numpy as np

from edgeternary.frontends.tflite.arithmetic import Ints, quantized_multiplier
from edgeternary.frontends.tflite.net import refuse
from edgeternary.frontends.tflite.records import Operator, Tensor
from edgeternary.ops.requantize import divided_by_power

FINE = 7  # fraction bits that an input code gets
UNIT = np.float32(3) / np.float32(32768)  # the scale on which 3 is 32768


def hard_swish(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
    """The output's codes before the clamp."""
    fine = np.float32(1 / 128) * x.scale
    out, out_shift = _short(float(fine / y.scale))
    unit, unit_shift = _short(float(fine / UNIT))
    if out_shift > 0:
        raise refuse(operator, "its output scale is below 1/128 of its input's")
    value = (codes - x.zero) << FINE
    gate = _saturated(value << max(unit_shift - 1, 0)) if unit_shift > 0 else value
    gate = _high(gate, unit)
    if unit_shift > 0:
        gate = _saturated(gate << 1)
    elif unit_shift < 0:
        gate = divided_by_power(gate, np.int64(-unit_shift))
    gate = (gate + (1 << 15)) >> 1
    product = gate * _high(value, out)
    return divided_by_power(np.sign(product) * (np.abs(product) >> 15), np.int64(-out_shift)) + y.zero


def _short(factor: float) -> tuple[int, int]:
    """A factor as (16 bits, shift)."""
    m, shift = quantized_multiplier(factor)
    return (0x7FFF if m >= 0x7FFF0000 else (m + (1 << 15)) >> 16), shift


def _saturated(x: Ints) -> Ints:
    return np.clip(x, -(1 << 15), (1 << 15) - 1)


def _high(x: Ints, m: int) -> Ints:
    """x * m / 2^15, ties up: a rounding doubling high product of 16 bits."""
    return _saturated((x * m + (1 << 14)) >> 15)
