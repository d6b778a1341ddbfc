"""The family of table networks that recipes build by the name "tables"."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import nn

from edgeternary import nn as q
from edgeternary.nn.ops import conv_size


def tables(
    widths: Sequence[int],
    inputs: int = 784,
    classes: int = 10,
    thresholds: int | Sequence[int] = (128,),
    fan_in: int | Sequence[int] = 6,
    candidates: int = 128,
    rate: float = 4.0,
    until: float = 0.6,
    surrogate: str = "efd",
    groups: Sequence[int] = (),
    scale: float | None = None,
    trees: Sequence[Sequence[int]] = (),
    size: int = 28,
    near: int = 0,
) -> nn.Module:
    """Comparisons, a LutLayer for each of `widths`, then GroupSum; input (N, inputs) codes.

    thresholds: those of Comparisons. fan_in: of all tables, or of each tree and width. candidates, rate,
    until, surrogate: as in LutLayer. groups, scale: as in GroupSum.
    trees: convolutional layers before the widths, [outputs, kernel, stride, depth, pool] each: a LutConv2d
    with outputs * fan_in^(depth - 1) tables, depth - 1 levels of 1x1 tables that join fan_in at a time, and
    the "or" of pool x pool neighbours; the input is (N, inputs, size, size) then.
    near: tables of the first layer read bits near their places in the picture or the window, as in LutLayer;
    they sweep over it once for each class.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(bits=q.Comparisons(inputs, thresholds))
    pins = [fan_in] * (len(trees) + len(widths)) if isinstance(fan_in, int) else list(fan_in)
    count = inputs * (thresholds if isinstance(thresholds, int) else len(thresholds))
    rest: dict[str, Any] = {"candidates": candidates, "rate": rate, "until": until, "surrogate": surrogate}
    side = trees[0][1] if trees else size
    place: dict[str, Any] = {"near": near, "picture": (side, side), "sweeps": classes}  # of the first layer
    for i, (outputs, kernel, stride, depth, pool) in enumerate(trees, 1):
        width = outputs * pins[i - 1] ** (depth - 1)
        layers[f"conv{i}"] = q.LutConv2d(count, width, kernel, stride, 0, pins[i - 1], **rest, **place)
        place = {}
        for level in range(2, depth + 1):
            width //= pins[i - 1]
            layers[f"tree{i}_{level}"] = q.LutConv2d(
                width * pins[i - 1], width, 1, fan_in=pins[i - 1], **{**rest, "candidates": 1}
            )
        size = conv_size(size, 0, 0, kernel, stride) // pool
        if pool > 1:
            layers[f"pool{i}"] = q.MaxPool(pool)
        count = outputs
    if trees:
        layers["flatten"], count = q.Flatten(), count * size * size
    for i, outputs in enumerate(widths, 1):
        layers[f"tables{i}"] = q.LutLayer(count, outputs, pins[len(trees) + i - 1], **rest, **place)
        place = {}
        count = outputs
    layers["count"] = q.GroupSum(count, classes, groups, scale)
    return nn.Sequential(layers)
