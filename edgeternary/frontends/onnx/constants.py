"""Operators whose inputs are all constants: computed once, in numpy, with the codes of quantised ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgeternary.frontends.onnx.values import Const, Context, Numbers
from edgeternary.ir.value import MAX_ELEMENTS

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": lambda a, b: _divide(a, b),
    "Neg": np.negative, "Sqrt": np.sqrt, "Abs": np.abs, "Floor": np.floor, "Ceil": np.ceil, "Round": np.rint,
    "Exp": np.exp, "Log": np.log, "Sign": np.sign, "Reciprocal": lambda a: np.ones((), a.dtype) / a,
    "Pow": lambda a, b: np.power(a, b).astype(a.dtype), "Min": np.minimum, "Max": np.maximum,
    "Relu": lambda a: np.maximum(a, a.dtype.type(0)), "Equal": np.equal, "Where": np.where,
}  # fmt: skip


def _divide(a: Any, b: Any) -> Any:
    if np.asarray(a).dtype.kind in "iu":
        return np.trunc(a / b).astype(np.asarray(a).dtype)  # towards 0
    return a / b


def constant(c: Context) -> Const:
    """The operator Constant."""
    node = c.here
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in node.attributes:
            given = node.attributes[name]
            kind = np.float32 if "float" in name else np.int64 if "int" in name else None
            return Const(np.asarray(given, kind) if kind else given)
    raise c.refuse("it holds no tensor of numbers", "export the model again")


def elementwise(c: Context, *xs: Const) -> Const:
    arrays = [x.value for x in xs]
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError as error:
        raise c.refuse(f"its constants do not broadcast: {error}", "export the model again") from error
    _check_size(c, shape)
    with np.errstate(all="ignore"):
        value = np.asarray(ELEMENTWISE[c.here.type](*arrays))
    scaled = _scaled(c.here.type, xs, shape)
    return Const(value, *scaled)


def _scaled(type: str, xs: Sequence[Const], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Codes and scale of a quantised constant times a number."""
    if type not in ("Mul", "Div") or sum(x.codes is not None for x in xs) != 1 or xs[-1].codes is not None:
        return ()
    by = xs[1].value.astype(np.float64)
    assert xs[0].codes is not None and xs[0].scale is not None
    scale = xs[0].scale * by if type == "Mul" else xs[0].scale / by
    return np.broadcast_to(xs[0].codes, shape), np.broadcast_to(scale, shape)


def moved(x: Const, move: Callable[[Numbers], Numbers]) -> Const:
    """A constant and its codes, both moved alike."""
    if x.codes is None or x.scale is None:
        return Const(move(x.value))
    return Const(move(x.value), move(x.codes), move(np.broadcast_to(x.scale, x.codes.shape)))


def cast(c: Context, x: Const) -> Const:
    from onnx import helper

    try:
        kind = helper.tensor_dtype_to_np_dtype(int(c.here.get("to", 1)))
    except KeyError as error:
        raise c.refuse("it casts to an unknown type", "cast to float or to integers") from error
    if kind.kind not in "fiub":
        raise c.refuse(f"it casts to {kind}", "cast to float or to integers")
    return Const(x.value.astype(kind), x.codes, x.scale)


def concat(c: Context, *xs: Const) -> Const:
    try:
        return Const(np.concatenate([x.value for x in xs], int(c.here.get("axis", 0))))
    except (ValueError, IndexError) as error:
        raise c.refuse(f"its constants do not join: {error}", "export the model again") from error


def gather(c: Context, x: Const, index: Const) -> Const:
    try:
        return moved(x, lambda a: np.take(a, index.value.astype(np.int64), int(c.here.get("axis", 0))))
    except (ValueError, IndexError, MemoryError) as error:
        raise c.refuse(f"its index does not fit: {error}", "export the model again") from error


def slices(c: Context, x: Const, starts: Const, ends: Const, *more: Const) -> Const:
    start, end = starts.value.tolist(), ends.value.tolist()
    axes = more[0].value.tolist() if more else range(len(start))
    steps = more[1].value.tolist() if len(more) > 1 else [1] * len(start)
    index = [slice(None)] * x.value.ndim
    try:
        for axis, a, b, step in zip(axes, start, end, steps, strict=True):
            index[axis] = slice(a, b, step)
        return moved(x, lambda a: a[tuple(index)])
    except (ValueError, IndexError) as error:
        raise c.refuse(f"its slice does not fit: {error}", "export the model again") from error


def of_shape(c: Context, shape: Const) -> Const:
    """ConstantOfShape."""
    dims = tuple(shape.value.reshape(-1).astype(np.int64).tolist())
    _check_size(c, dims)
    fill = c.here.attributes.get("value")
    return Const(
        np.full(dims, 0.0 if fill is None else fill.reshape(-1)[0], getattr(fill, "dtype", np.float32))
    )


def expand(c: Context, x: Const, shape: Const) -> Const:
    dims = tuple(shape.value.reshape(-1).astype(np.int64).tolist())
    try:
        wide = np.broadcast_shapes(x.shape, dims)
    except ValueError as error:
        raise c.refuse(f"it does not broadcast: {error}", "export the model again") from error
    _check_size(c, wide)
    return moved(x, lambda a: np.broadcast_to(a, wide))


def _check_size(c: Context, dims: Sequence[int]) -> None:
    if any(d < 0 for d in dims) or math.prod(dims) > MAX_ELEMENTS:
        raise c.refuse(
            f"it makes a constant of shape {tuple(dims)[:8]}", f"make at most {MAX_ELEMENTS:,} elements"
        )
