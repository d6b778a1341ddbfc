"""Elementwise operators of a tensor: links of its chain, in float32 as ONNX has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeternary.frontends.onnx.values import Const, Context, Grid, Link, Live, Numbers, Tensor

F = np.float32


def _both(x: Any, k: Any) -> Any:
    return np.abs(x) + np.abs(k)


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Add": lambda x, k: x + k, "Sub": lambda x, k: x - k, "Mul": lambda x, k: x * k,
    "Div": lambda x, k: x / k,
}  # fmt: skip
REVERSED: dict[str, Callable[..., Any]] = {
    "Add": ARITHMETIC["Add"],
    "Mul": ARITHMETIC["Mul"],
    "Sub": lambda x, k: k - x,
}


def arithmetic(c: Context, a: Tensor, b: Tensor) -> Live:
    """Add, Sub, Mul and Div of a tensor and a constant."""
    node = c.here
    first = isinstance(a, Live)
    x, k = (a, b) if first else (b, a)
    assert isinstance(x, Live) and isinstance(k, Const)
    table = ARITHMETIC if first else REVERSED
    if node.type not in table:
        raise c.refuse("it divides a constant by a tensor", "multiply by constants alone")
    n = c.numbers(k.value, x).astype(F)
    if node.type == "Div" and not np.all(n):
        raise c.refuse("it divides by 0", "check its constant")
    x = as_float(x)
    size = _both if node.type in ("Add", "Sub") else None
    grid = _grid(node.type, x.grid, n.astype(np.float64), first) if x.grid else None
    return x.then(Link(table[node.type], (n,), size), grid, None)


def as_float(x: Live) -> Live:
    """A tensor of integers as one of float32."""
    return x if x.chain else x.then(Link(lambda q: q.astype(F)), x.grid)


def _grid(type: str, g: Grid, n: Numbers, first: bool) -> Grid:
    if type in ("Mul", "Div"):
        scale, offset = (g.scale * n, g.offset * n) if type == "Mul" else (g.scale / n, g.offset / n)
        return Grid(scale, g.zero, offset, g.exact and (type == "Mul" or bool(np.all(np.frexp(n)[0] == 0.5))))
    if type == "Sub" and not first:
        return Grid(-g.scale, g.zero, n - g.offset, g.exact)
    n = n if type == "Add" else -n
    steps = np.rint(n / np.where(g.scale == 0, 1, g.scale))
    if np.all(steps * g.scale == n) and np.all(np.abs(steps) < 2**20):
        return Grid(g.scale, g.zero - steps.astype(np.int64), g.offset, g.exact)
    return Grid(g.scale, g.zero, g.offset + n, g.exact)


def batch_norm(c: Context, x: Live, gamma: Const, beta: Const, mean: Const, variance: Const) -> Live:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, each step rounded to float32."""
    if c.here.get("training_mode", 0):
        raise c.refuse("it is in training mode", "call model.eval() before the export")
    g, b, m, v = (c.numbers(_channelwise(k.value, x), x, what).astype(F) for k, what in
                  ((gamma, "gamma"), (beta, "beta"), (mean, "mean"), (variance, "variance")))  # fmt: skip
    total = v + F(c.here.get("epsilon", 1e-5))
    if np.any(total <= 0):
        raise c.refuse("its variance is not above 0", "check its statistics")
    deviation = np.sqrt(total)

    def apply(y: Any, g: Any, b: Any, m: Any, d: Any) -> Any:
        return (y - m) / d * g + b

    def size(y: Any, g: Any, b: Any, m: Any, d: Any) -> Any:
        return (np.abs(y) + np.abs(m)) / d * np.abs(g) + np.abs(b)

    x, grid = as_float(x), None
    if x.grid:
        gain = g.astype(np.float64) / deviation
        grid = Grid(x.grid.scale * gain, x.grid.zero, (x.grid.offset - m) * gain + b, exact=False)
    return x.then(Link(apply, (g, b, m, deviation), size), grid)


def _channelwise(k: Numbers, x: Live) -> Numbers:
    """One number for each channel, axis 1 of the file, so that it broadcasts."""
    return k.reshape(-1, *([1] * (len(x.shape) - 1)))


def unary(c: Context, x: Live, *more: Const) -> Live:
    """Relu, Clip, Sigmoid and the like: functions of one number."""
    node = c.here
    make = UNARY[node.type]
    apply, monotone = make(c, x, *more)
    x = as_float(x)
    hint = x.grid.scale if x.grid is not None and x.grid.exact else x.hint
    return x.then(Link(apply, monotone=monotone), None, hint)


Made = tuple[Callable[[Any], Any], bool]


def _plain(apply: Callable[[Any], Any], monotone: bool = True) -> Callable[..., Made]:
    return lambda c, x: (apply, monotone)


def _clip(c: Context, x: Live, low: Const | None = None, high: Const | None = None) -> Made:
    ends = []
    for given, name, default in ((low, "min", -np.inf), (high, "max", np.inf)):
        value = c.here.get(name, default) if given is None else given.value
        if np.size(value) != 1:
            raise c.refuse("its limits are not single numbers", "clip all channels alike")
        ends.append(F(np.asarray(value).reshape(())))
    return (lambda y: np.minimum(np.maximum(y, ends[0]), ends[1])), True


def _leaky(c: Context, x: Live) -> Made:
    slope = F(c.here.get("alpha", 0.01))
    return (lambda y: np.where(y < 0, y * slope, y)), bool(slope >= 0)


def _hard_sigmoid(c: Context, x: Live) -> Made:
    a, b = F(c.here.get("alpha", 0.2)), F(c.here.get("beta", 0.5))
    return (lambda y: np.clip(a * y + b, F(0), F(1))), True


def _swish(y: Any) -> Any:
    return y * np.clip(y / F(6) + F(0.5), F(0), F(1))


def _wide(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that float32 libraries compute differently: the float64 result, rounded once."""
    return lambda y: f(y.astype(np.float64)).astype(F)


UNARY: dict[str, Callable[..., Made]] = {
    "Relu": _plain(lambda y: np.maximum(y, F(0))),
    "Clip": _clip,
    "LeakyRelu": _leaky,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(_swish, False),
    "Sigmoid": _plain(_wide(lambda y: 1 / (1 + np.exp(-y)))),
    "Tanh": _plain(_wide(np.tanh)),
    "Abs": _plain(np.abs, False),
    "Floor": _plain(np.floor),
    "Ceil": _plain(np.ceil),
    "Round": _plain(np.rint),
}


def negate(c: Context, x: Live) -> Live:
    x = as_float(x)
    grid = Grid(-x.grid.scale, x.grid.zero, -x.grid.offset, x.grid.exact) if x.grid else None
    return x.then(Link(lambda y: -y), grid)
