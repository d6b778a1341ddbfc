"""Sensor values as input codes: the one definition, which generated C repeats bit by bit.

For a value x of channel c, with the scale s[c] and the zero point z[c] of `Meta`:

    q = x / s[c]                     float32, one IEEE division; x and s[c] are float32
    r = q rounded to an integer      a tie goes to the even one, as in torch.round and numpy.rint
    code = r + z[c], limited to lo and hi of the input; lo where q is not a number

A bipolar input has no code 0: its code is +1 where q >= -z[c], else -1.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.ir.graph import Graph
from edgeternary.ir.layout import check_layout
from edgeternary.ir.meta import InputMeta
from edgeternary.ir.value import Value


def scales(graph: Graph, value: Value) -> NDArray[np.float32]:
    """The scale of each channel of the input `value`, (channels,)."""
    return np.resize(np.asarray(graph.meta.of_input(value.name).scale, np.float32), value.channels)


def zeros(graph: Graph, value: Value) -> NDArray[np.int64]:
    """The zero point of each channel of the input `value`, (channels,)."""
    return np.resize(np.asarray(graph.meta.of_input(value.name).zero, np.int64), value.channels)


def quantize(graph: Graph, x: ArrayLike, input: str = "") -> NDArray[np.int32]:
    """The input codes of sensor values, as <model>_quantize in C computes them (see the head of this file).

    x: (..., *input shape), channels last, any real numbers; they become float32 first. int32 codes of the
    same shape. input: the name of one of several inputs. EdgeTernaryError for another shape and for what are
    no numbers.
    """
    given: NDArray[Any] = np.asarray(x)
    if given.dtype.kind not in "iufb":
        raise EdgeTernaryError(
            f"the sensor values are of dtype {given.dtype}", "they must be real numbers", "convert them"
        )
    value = _named(graph, input)
    axes = ["..."] * max(given.ndim - len(value.shape), 0)
    given = check_layout(graph.name, value.shape, given, axes, "sensor values")
    zero = zeros(graph, value)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        q = given.astype(np.float32) / scales(graph, value)
    if value.type.name == "bipolar":
        return np.where(q >= -zero, value.hi, value.lo).astype(np.int32)
    r = np.rint(q.astype(np.float64))
    return np.where(np.isnan(r), value.lo, np.clip(r + zero, value.lo, value.hi)).astype(np.int32)


def _named(graph: Graph, name: str) -> Value:
    """The input called `name`; the only one where there is no name."""
    if not name and len(graph.inputs) == 1:
        return graph.input
    for value in graph.inputs:
        if value.name == name:
            return value
    raise EdgeTernaryError(
        f"model {graph.name!r} has no input {name[:40]!r}",
        f"its inputs are {', '.join(value.name for value in graph.inputs)}",
        "name one of them: quantize(graph, x, input=...)",
    )


def identity(meta: InputMeta) -> bool:
    """Whether sensor values are codes already: a scale of 1 and a zero point of 0."""
    return bool(np.all(np.equal(meta.scale, 1.0)) and not np.any(meta.zero))


def described(meta: InputMeta) -> str:
    """The scale and the zero point for a message."""
    return f"scale {_short(meta.scale)}, zero point {_short(meta.zero)}"


def _short(number: float | tuple[float, ...]) -> str:
    if not isinstance(number, tuple):
        return f"{number:g}"
    return f"{', '.join(f'{n:g}' for n in number[:4])}{', ...' if len(number) > 4 else ''}"
