"""Families of networks that recipes build by name: {name: function of keyword arguments -> nn.Module}.

`weights` and `activations` are one kind, or one for each layer: see `train.kinds`.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

from edgeternary import nn as q
from edgeternary.nn.quantizers import levels
from edgeternary.train.kinds import Kind, Kinds, by_layer
from edgeternary.train.table_models import tables


def wide(kind: Kind) -> bool:
    """Whether codes have 5 bits or more, which need a Requantize in place of thresholds."""
    return levels(kind).hi - levels(kind).lo > 15


def pad_of(kind: Kind) -> int:
    """The code that pads maps of this kind: 0, or -1 where 0 is no code."""
    return -1 if kind == "bipolar" else 0


def quantiser(
    channels: int, i: int | str, kind: Kind, scale: float | None = None, surrogate: str | None = None
) -> OrderedDict[str, nn.Module]:
    """bn<i> and act<i>, a BatchNorm and an Activation, for up to 4 bits; else act<i>, a Requantize."""
    if wide(kind):
        return OrderedDict([(f"act{i}", q.Requantize(channels, kind, scale))])
    return OrderedDict([(f"bn{i}", q.BatchNorm(channels)), (f"act{i}", q.Activation(kind, scale, surrogate))])


def average(channels: int, activations: Kind, pooled: Kind = 4) -> OrderedDict[str, nn.Module]:
    """pool (and act_pool): the average over the map, as `pooled` codes.

    If the activations have 5 bits or more, the codes of the average are as wide as theirs.
    """
    if wide(activations):
        return OrderedDict(pool=q.SumPool(), act_pool=q.Requantize(channels, activations))
    return OrderedDict(pool=q.GlobalAvgPool(q.Activation(pooled)))


def kinds_of(
    weights: Kinds, activations: Kinds, layers: Sequence[str], acts: Sequence[str] | None = None
) -> tuple[list[Kind], list[Kind]]:
    """The kinds of the weights of `layers`, and of the activations, act1, act2, ... unless `acts` names them.

    The last layer has no activation.
    """
    names = [f"act{i}" for i in range(1, len(layers))] if acts is None else acts
    return by_layer(weights, layers, "weights"), by_layer(activations, names, "activations")


def mlp(
    widths: Sequence[int],
    weights: Kinds = "ternary",
    activations: Kinds = "bipolar",
    scale: float | None = None,
    surrogate: str | None = None,
    bits: str | None = None,
) -> nn.Module:
    """Linear, BatchNorm, Activation for each hidden width, then Output; input (N, widths[0]) codes.

    bits: "bipolar" or "binary" first turns 8-bit pixels (N, 1, H, W) into 1-bit pixels, x >= 128.
    """
    w, a = kinds_of(weights, activations, [f"fc{i}" for i in range(1, len(widths))])
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if bits:
        layers["bits"], layers["flatten"] = q.Binarize(kind=bits), q.Flatten()
    for i, (inputs, outputs) in enumerate(pairwise(widths[:-1]), 1):
        layers[f"fc{i}"] = q.Linear(inputs, outputs, w[i - 1])
        layers.update(quantiser(outputs, i, a[i - 1], scale, surrogate))
    layers[f"fc{len(widths) - 1}"] = q.Output(widths[-2], widths[-1], w[-1], codes=(a or [4])[-1])
    return nn.Sequential(layers)


def cnn(
    channels: Sequence[int],
    size: int = 28,
    inputs: int = 1,
    classes: int = 10,
    kernels: Sequence[int] | int = 3,
    strides: Sequence[int] | int = 1,
    pools: Sequence[int] | int = 2,
    hidden: Sequence[int] = (),
    weights: Kinds = "ternary",
    activations: Kinds = 2,
    scale: float | None = None,
    surrogate: str | None = None,
) -> nn.Module:
    """Conv2d [, MaxPool], BatchNorm, Activation for each of `channels`, dense `hidden`, then Output.

    A convolution divides the size by its stride and pads ("same", with -1 after bipolar codes, else with 0).
    Input (N, inputs, size, size).
    """
    n = len(channels)
    every = [[v] * n if isinstance(v, int) else list(v) for v in (kernels, strides, pools)]
    names = [f"conv{i}" for i in range(1, n + 1)] + [f"fc{i}" for i in range(1, len(hidden) + 1)] + ["fc"]
    w, a = kinds_of(weights, activations, names)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    pad_value = 0
    for i, (outputs, kernel, stride, pool) in enumerate(zip(channels, *every, strict=True), 1):
        layers[f"conv{i}"] = q.Conv2d(
            inputs, outputs, kernel, stride, kernel // 2, pad_value, weights=w[i - 1]
        )
        size = (size + 2 * (kernel // 2) - kernel) // stride + 1
        if pool > 1:
            layers[f"pool{i}"] = q.MaxPool(pool)
            size //= pool
        layers.update(quantiser(outputs, i, a[i - 1], scale, surrogate))
        inputs, pad_value = outputs, pad_of(a[i - 1])
    layers["flatten"] = q.Flatten()
    features = inputs * size * size
    for i, outputs in enumerate(hidden, 1):
        layers[f"fc{i}"] = q.Linear(features, outputs, w[n + i - 1])
        layers.update(quantiser(outputs, n + i, a[n + i - 1], scale, surrogate))
        features = outputs
    layers["fc"] = q.Output(features, classes, w[-1], codes=(a or [4])[-1])
    return nn.Sequential(layers)


def ds_cnn(
    channels: int = 64,
    blocks: int = 4,
    classes: int = 12,
    weights: Kinds = "ternary",
    activations: Kinds = 2,
    pooled: Kind = 4,
    scale: float | None = None,
    surrogate: str | None = None,
) -> nn.Module:
    """Depthwise-separable network for keyword spotting (Zhang et al., 2017); input (N, 1, 49, 10) codes.

    A 10x4 convolution with stride 2 gives 25x5. Then come `blocks` pairs of a depthwise 3x3 and a pointwise
    convolution, a global average and an Output.
    """
    pairs = [name for i in range(1, blocks + 1) for name in (f"depthwise{i}", f"pointwise{i}")]
    acts = ["act", *(f"act{i}{half}" for i in range(1, blocks + 1) for half in "ab")]
    w, a = kinds_of(weights, activations, ["conv", *pairs, "fc"], acts)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv"] = q.Conv2d(1, channels, (10, 4), 2, (4, 1, 5, 1), weights=w[0])
    layers.update(quantiser(channels, "", a[0], scale, surrogate))
    for i in range(1, blocks + 1):
        at = 2 * i - 1  # of the depthwise convolution among the layers
        layers[f"depthwise{i}"] = q.Conv2d(
            channels, channels, 3, pad=1, pad_value=pad_of(a[at - 1]), groups=channels, weights=w[at]
        )
        layers.update(quantiser(channels, f"{i}a", a[at], scale, surrogate))
        layers[f"pointwise{i}"] = q.Conv2d(channels, channels, 1, weights=w[at + 1])
        layers.update(quantiser(channels, f"{i}b", a[at + 1], scale, surrogate))
    layers.update(average(channels, a[-1], pooled))
    layers["flatten"] = q.Flatten()
    layers["fc"] = q.Output(channels, classes, w[-1], codes=a[-1])
    return nn.Sequential(layers)


def resnet8(
    channels: Sequence[int] = (16, 32, 64),
    inputs: int = 1,
    classes: int = 10,
    weights: Kind = "ternary",
    activations: Kind = 4,
) -> nn.Module:
    """ResNet-8 of MLPerf Tiny: three residual stages of two convolutions; input (N, inputs, H, W) codes."""

    def conv(a: int, b: int, kernel: int, stride: int) -> list[nn.Module]:
        return [
            q.Conv2d(a, b, kernel, stride, kernel // 2, weights=weights),
            q.BatchNorm(b),
            q.Activation(activations),
        ]

    layers: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(*conv(inputs, channels[0], 3, 1)))
    width = channels[0]
    for i, outputs in enumerate(channels, 1):
        stride = 1 if i == 1 else 2
        body = nn.Sequential(*conv(width, outputs, 3, stride), *conv(outputs, outputs, 3, 1))
        shortcut = (
            None if stride == 1 and width == outputs else nn.Sequential(*conv(width, outputs, 1, stride))
        )
        layers[f"block{i}"] = q.Residual(body, shortcut)
        layers[f"bn{i}"], layers[f"act{i}"] = q.BatchNorm(outputs), q.Activation(activations)
        width = outputs
    layers["pool"] = q.GlobalAvgPool(q.Activation(4))
    layers["flatten"] = q.Flatten()
    layers["fc"] = q.Output(width, classes, weights)
    return nn.Sequential(layers)


def conv1d(
    inputs: int,
    length: int,
    classes: int,
    channels: Sequence[int] = (32, 64),
    kernel: int = 5,
    pools: Sequence[int] | int = 2,
    weights: Kinds = "ternary",
    activations: Kinds = 4,
) -> nn.Module:
    """Convolutions over time with pooling, then the average over time; input (N, inputs, length) codes."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    w, a = kinds_of(weights, activations, [*(f"conv{i}" for i in range(1, len(channels) + 1)), "fc"])
    pool_of = [pools] * len(channels) if isinstance(pools, int) else list(pools)
    for i, (outputs, pool) in enumerate(zip(channels, pool_of, strict=True), 1):
        layers[f"conv{i}"] = q.Conv1d(inputs, outputs, kernel, 1, kernel // 2, weights=w[i - 1])
        if pool > 1:
            layers[f"pool{i}"] = q.MaxPool(pool)
            length //= pool
        layers.update(quantiser(outputs, i, a[i - 1]))
        inputs = outputs
    layers.update(average(inputs, a[-1]))
    layers["flatten"] = q.Flatten()
    layers["fc"] = q.Output(inputs, classes, w[-1], codes=a[-1])
    return nn.Sequential(layers)


FAMILIES: dict[str, Callable[..., nn.Module]] = {
    "mlp": mlp,
    "cnn": cnn,
    "ds_cnn": ds_cnn,
    "resnet8": resnet8,
    "conv1d": conv1d,
    "tables": tables,
}
