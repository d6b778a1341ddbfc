"""AVERAGE_POOL_2D, MAX_POOL_2D and MEAN.

An average pool sums raw codes and divides by the number of pixels within the map, half away from zero; at the
edges of a SAME pool that number differs, so each pixel then has a multiplier of its own.
"""

import math

import numpy as np

from edgeternary.frontends.tflite import windows
from edgeternary.frontends.tflite.arithmetic import Ints, half_away_quotient, quantized_multiplier
from edgeternary.frontends.tflite.net import TWICE, Net, refuse
from edgeternary.frontends.tflite.records import Operator
from edgeternary.ir import Value
from edgeternary.ops import Conv2d, MaxPool, SumPool
from edgeternary.ops.window import Padding, Pair

QUOTIENT = "sum of raw codes / n, half away from zero"


def average_pool(net: Net, operator: Operator) -> str:
    """AVERAGE_POOL_2D."""
    out = net.output(operator)
    x = net.image(operator, net.tensor(operator, 0))
    kernel, stride = _window(operator), windows.stride(operator)
    pad = windows.padding(operator, x, kernel)
    if not any(pad):
        sums = net.add(SumPool(name=net.name(operator), inputs=(x.name,), kernel=kernel, stride=stride))
        y = _quotient(net, operator, sums, np.array([kernel[0] * kernel[1]]))
    else:
        sums = _sums(net, operator, x, kernel, pad)
        flat = net.reshape(operator, sums, (sums.size,))
        counts = _counts(x.shape[:2], kernel, stride, pad)
        y = _quotient(net, operator, flat, np.repeat(counts.reshape(-1), x.channels))
        y = net.reshape(operator, y, sums.shape)
    net.finish(operator, out, y)
    return QUOTIENT


def _window(operator: Operator) -> Pair:
    return int(operator.options.get("FilterHeight", 0)), int(operator.options.get("FilterWidth", 0))


def _sums(net: Net, operator: Operator, x: Value, kernel: Pair, pad: Padding) -> Value:
    """Sums with zeros around the map, as a depthwise convolution of ones."""
    weights = np.ones((x.channels, *kernel, 1), np.int8)
    return net.add(
        Conv2d(
            name=net.name(operator), inputs=(x.name,), weights=weights, weight_type="ternary",
            bias=np.zeros(x.channels, np.int32), stride=windows.stride(operator), pad=pad, pad_value=0,
            groups=x.channels,
        )
    )  # fmt: skip


def _counts(size: tuple[int, ...], kernel: Pair, stride: Pair, pad: Padding) -> np.ndarray:
    """(OH, OW): pixels within the map that a window covers."""
    along = []
    for axis in (0, 1):
        starts = np.arange(-pad[axis], size[axis] + pad[axis + 2] - kernel[axis] + 1, stride[axis])
        along.append(np.minimum(starts + kernel[axis], size[axis]) - np.maximum(starts, 0))
    return along[0][:, None] * along[1]


def _quotient(net: Net, operator: Operator, sums: Value, counts: np.ndarray) -> Value:
    """sums / counts, one count for all channels or one for each."""
    clamp = net.limits(operator, net.output(operator))
    which, back = np.unique(counts, return_inverse=True)

    def codes(x: Ints, channels: slice) -> Ints:
        return half_away_quotient(x, which[channels, None])

    made = net.solve(operator, sums, codes, 1.0 / which, clamp)
    return net.solved(operator, sums, made.at(back), 0, clamp)


def max_pool(net: Net, operator: Operator) -> str:
    """MAX_POOL_2D; padding never is the largest."""
    out = net.output(operator)
    x = net.image(operator, net.tensor(operator, 0))
    kernel = _window(operator)
    pad = windows.padding(operator, x, kernel)
    y = net.add(
        MaxPool(
            name=net.name(operator), inputs=(x.name,), kernel=kernel, stride=windows.stride(operator),
            pad=pad, minimum=np.zeros(x.channels, np.uint8),
        )
    )  # fmt: skip
    net.finish(operator, out, net.clamped(operator, y, net.limits(operator, out)))
    return "raw codes"


def mean(net: Net, operator: Operator) -> str:
    """MEAN over neighbouring axes, seen as (outer, n, inner): a sum over n, then two roundings."""
    tensor, out = net.tensor(operator, 0), net.output(operator)
    given = net.constant(operator, 1, ("INT32",)).reshape(-1)
    rank = len(tensor.shape)
    if given.size == 0 or given.size > rank or not all(-rank <= a < rank for a in given.tolist()):
        raise refuse(operator, f"its axes are {given.tolist()[:8]}")
    axes = sorted({int(a) % rank for a in given})
    while len(axes) > 1 and tensor.shape[axes[0]] == 1:
        axes = axes[1:]
    if axes != list(range(axes[0], axes[-1] + 1)):
        raise refuse(operator, f"it is over the axes {axes}", "take axes that lie side by side")
    outer, n = (math.prod(tensor.shape[a:b]) for a, b in ((0, axes[0]), (axes[0], axes[-1] + 1)))
    inner = math.prod(tensor.shape[axes[-1] + 1 :])
    x = net.shaped(operator, tensor, (outer, n, inner))
    sums = net.add(SumPool(name=net.name(operator), inputs=(x.name,), kernel=(1, n), stride=(1, 1)))
    centred = net.minus(operator, sums, tensor.zero * n)
    m, shift = quantized_multiplier(float(np.float64(tensor.scale) / np.float64(out.scale)))
    left = min(n.bit_length() - 1, 32, 31 + shift)
    y = net.rescale(operator, centred, [((m << left) // n, shift - left)], out.ends)
    net.finish(operator, out, y)
    return TWICE
