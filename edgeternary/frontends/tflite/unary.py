"""Functions of one int8 code: a table of 256 entries each, computed as the reference computes it."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.tflite.arithmetic import Ints, half_away, multiply, quantized_multiplier
from edgeternary.frontends.tflite.hard_swish import hard_swish
from edgeternary.frontends.tflite.net import LIMITS, Net, quantized, refuse
from edgeternary.frontends.tflite.records import Operator, Tensor

Floats32 = NDArray[np.float32]
Rule = Callable[[Operator, Tensor, Tensor, Ints], Ints]
CODES = np.arange(-128, 128, dtype=np.int64)


def table(rule: Rule) -> Callable[[Net, Operator], str]:
    """The lowering of an operator whose codes `rule` computes."""

    def lower(net: Net, operator: Operator) -> str:
        tensor, out = net.tensor(operator, 0), net.output(operator)
        if tensor.type != "INT8":
            raise refuse(
                operator,
                f"its input is {tensor.type}",
                "functions of one code are kept for int8 alone: a table has 256 entries",
            )
        value = net.value(operator, tensor)
        codes = np.clip(rule(operator, tensor, out, CODES), *out.ends)
        net.finish(operator, out, net.table(operator, value, codes, f"int{out.bits}"))
        return "a table of the reference's codes"

    return lower


def requantized(net: Net, operator: Operator) -> str:
    """QUANTIZE of codes to another scale: a table of int8; two roundings of int16, whose zero point is 0."""
    tensor, out = net.tensor(operator, 0), net.output(operator)
    if tensor.type != "INT16" or tensor.zero:
        return table(_quantize)(net, operator)
    factor = quantized_multiplier(float(np.float64(tensor.scale) / np.float64(out.scale)))
    net.finish(operator, out, net.rescale(operator, net.value(operator, tensor), [factor], out.ends))
    return "rounds twice"


def _quantize(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
    factor = quantized_multiplier(float(np.float64(x.scale) / np.float64(y.scale)))
    return multiply(codes - x.zero, *factor) + y.zero


def relu(low: str) -> Rule:
    """A rectifier with the limits of the fused activation of that name; the scale may change."""

    def rule(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
        factor = quantized_multiplier(float(np.float64(x.scale / y.scale)))
        moved = multiply(codes - x.zero, *factor) + y.zero
        lo, hi = LIMITS[low]
        return np.clip(
            moved,
            None if lo is None else max(y.ends[0], quantized(y, lo)),
            None if hi is None else min(y.ends[1], quantized(y, hi)),
        )

    return rule


def leaky_relu(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
    """alpha * x below 0: two factors, both rounded twice."""
    alpha = np.float32(operator.options.get("Alpha", 0.0))
    if not np.isfinite(alpha):
        raise refuse(operator, f"its alpha is {alpha}")
    below = quantized_multiplier(float(x.scale * alpha / y.scale))
    above = quantized_multiplier(float(x.scale / y.scale))
    v = codes - x.zero
    sign = -1 if below[0] < 0 else 1
    return y.zero + np.where(v >= 0, multiply(v, *above), sign * multiply(v, abs(below[0]), below[1]))


def absolute(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
    """ABS: |x - zero|, rescaled where the scales differ."""
    v = np.abs(codes - x.zero)
    if x.scale == y.scale:
        return v + y.zero
    return multiply(v, *quantized_multiplier(float(x.scale / y.scale))) + y.zero


def of_float(f: Callable[[float], float]) -> Rule:
    """A table filled through float32: scale * (x - zero), f, 1 / scale, half away from zero."""

    def rule(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
        real = x.scale * (codes - x.zero).astype(np.float32)
        made = np.array([np.float32(f(float(value))) for value in real], np.float32)
        scaled = half_away((made * (np.float32(1) / y.scale)).astype(np.float64))
        return np.clip(scaled, -(2.0**30), 2.0**30).astype(np.int64) + y.zero

    return rule


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)) with the float32 steps of the reference."""
    with np.errstate(over="ignore"):
        e = np.float32(np.exp(np.float64(-x)))
    return float(np.float32(1) / (np.float32(1) + e))


def elu(x: float) -> float:
    return math.expm1(x) if x < 0 else x


def gelu(operator: Operator, x: Tensor, y: Tensor, codes: Ints) -> Ints:
    """GELU by erf, or by tanh where the operator says `approximate`."""
    return of_float(_gelu_tanh if operator.options.get("Approximate") else _gelu)(operator, x, y, codes)


def _gelu(x: float) -> float:
    return 0.5 * x * (1 + math.erf(x * math.sqrt(0.5)))


def _gelu_tanh(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


UNARY: dict[str, Callable[[Net, Operator], str]] = {
    "QUANTIZE": requantized,
    "RELU": table(relu("RELU")),
    "RELU6": table(relu("RELU6")),
    "RELU_N1_TO_1": table(relu("RELU_N1_TO_1")),
    "LEAKY_RELU": table(leaky_relu),
    "HARD_SWISH": table(hard_swish),
    "ABS": table(absolute),
    "LOGISTIC": table(of_float(logistic)),
    "TANH": table(of_float(math.tanh)),
    "ELU": table(of_float(elu)),
    "GELU": table(gelu),
}
