"""Operators that move elements and change none: reshapes, transposes, slices of channels, pads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeternary.frontends.layout import channels_last_order, graph_shape
from edgeternary.frontends.onnx.constants import moved
from edgeternary.frontends.onnx.grids import on_grid
from edgeternary.frontends.onnx.values import Const, Context, Grid, Live, Numbers, Tensor
from edgeternary.ops import Concat, Reshape, Slice

ALONE = "keep the first axis for the samples: (N, ...)"


def _integers(c: Context, k: Tensor | None, name: str) -> list[int] | None:
    """A list of integers from an input, or from the attribute of older opsets."""
    if k is None:
        given = c.here.get(name, None)
        return None if given is None else [int(v) for v in given]
    if not isinstance(k, Const):
        raise c.refuse(f"its {name} depends on the input", "export it with fixed sizes")
    return [int(v) for v in k.value.reshape(-1)]


def reshape(c: Context, x: Tensor, target: Tensor | None = None) -> Tensor:
    wanted = _integers(c, target, "shape")
    if wanted is None:
        raise c.refuse("it has no shape", "export the model again")
    whole = x.shape if isinstance(x, Const) else (1, *x.shape)
    return to_shape(c, x, _resolved(c, whole, wanted))


def _resolved(c: Context, before: tuple[int, ...], wanted: Sequence[int]) -> tuple[int, ...]:
    zero = bool(c.here.get("allowzero", 0))
    sizes = [before[i] if v == 0 and not zero and i < len(before) else v for i, v in enumerate(wanted)]
    rest = math.prod(v for v in sizes if v != -1)
    if sizes.count(-1) == 1 and rest > 0 and math.prod(before) % rest == 0:
        sizes[sizes.index(-1)] = math.prod(before) // rest
    if math.prod(sizes) != math.prod(before) or any(v < 0 for v in sizes) or len(sizes) > 8:
        raise c.refuse(f"it makes {list(wanted)[:8]} of {before}", "export the model again")
    return tuple(sizes)


def to_shape(c: Context, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The tensor in another shape, samples included."""
    if isinstance(x, Const):
        return moved(x, lambda a: a.reshape(shape))
    if not shape or shape[0] != 1:
        raise c.refuse(f"it makes {shape} of one sample {(1, *x.shape)}", ALONE)
    return _moved(c, x, shape[1:], None)


def flatten(c: Context, x: Tensor) -> Tensor:
    shape = x.shape if isinstance(x, Const) else (1, *x.shape)
    axis = int(c.here.get("axis", 1))
    axis = axis + len(shape) if axis < 0 else axis
    return to_shape(c, x, (math.prod(shape[:axis]), math.prod(shape[axis:])))


def squeeze(c: Context, x: Tensor, axes: Tensor | None = None) -> Tensor:
    shape = x.shape if isinstance(x, Const) else (1, *x.shape)
    given = _integers(c, axes, "axes")
    if given is None:
        given = [i for i, n in enumerate(shape) if n == 1 and (i or isinstance(x, Const))]
    drop = {a % max(len(shape), 1) for a in given}
    if any(shape[a] != 1 for a in drop):
        raise c.refuse(f"it squeezes axes {sorted(drop)} of {shape}", "export the model again")
    return to_shape(c, x, tuple(n for i, n in enumerate(shape) if i not in drop))


def unsqueeze(c: Context, x: Tensor, axes: Tensor | None = None) -> Tensor:
    shape = list(x.shape if isinstance(x, Const) else (1, *x.shape))
    given = _integers(c, axes, "axes") or []
    rank = len(shape) + len(given)
    for axis in sorted(a % rank for a in given):
        shape.insert(axis, 1)
    return to_shape(c, x, tuple(shape))


def transpose(c: Context, x: Tensor) -> Tensor:
    rank = x.value.ndim if isinstance(x, Const) else len(x.shape) + 1
    perm = [int(v) for v in c.here.get("perm", range(rank)[::-1])]
    if sorted(perm) != list(range(rank)):
        raise c.refuse(f"its perm is {perm[:8]} for {rank} axes", "export the model again")
    if isinstance(x, Const):
        return moved(x, lambda a: a.transpose(perm))
    if perm[0] != 0:
        raise c.refuse("it moves the axis of the samples", ALONE)
    places = np.arange(math.prod(x.shape)).reshape(x.shape).transpose([p - 1 for p in perm[1:]])
    return _moved(c, x, places.shape, places.reshape(-1))


def _moved(c: Context, x: Live, shape: tuple[int, ...], places: NDArray[np.int64] | None) -> Live:
    """x in another shape; places[i]: the element of x that element i of the result is.

    Where elements lie as the graph has them the result is a reshape, else their order is noted.
    """
    order = x.whole_order if places is None else x.whole_order[places]
    plain = len(shape) <= 3 and np.array_equal(order, channels_last_order(shape))
    if len(shape) != 1 and not plain:
        return replace(x, shape=shape, order=order)
    wanted, before = graph_shape(shape), c.values[x.base]
    noted = None if plain else order
    if wanted == before.shape:
        return replace(x, shape=shape, order=noted)
    op = Reshape(name=c.name(), inputs=(x.base,), shape=wanted)
    _check_channels(c, x, before.channels, wanted[-1])
    c.emit(op)

    def move(n: Numbers) -> Numbers:
        return np.resize(n, wanted[-1])

    chain = tuple(link.moved(move) for link in x.chain)
    grid = x.grid.moved(move) if x.grid else None
    return replace(x, base=op.name, shape=shape, order=noted, chain=chain, grid=grid)


def _check_channels(c: Context, x: Live, before: int, after: int) -> None:
    """Numbers for each channel stay such where channels are repeated."""
    own = any(n.ndim for link in x.chain for n in link.numbers)
    own = own or (x.grid is not None and any(np.ndim(n) for n in (x.grid.scale, x.grid.zero, x.grid.offset)))
    if own and after % before:
        raise c.refuse(
            "it reshapes numbers that differ between channels", "quantise with one scale before it"
        )


def concat(c: Context, *xs: Live) -> Live:
    """Channels side by side: codes of one scale."""
    axis = int(c.here.get("axis", 1))
    rank = len(xs[0].shape) + 1
    if axis % rank != 1 or any(len(x.shape) != rank - 1 or x.order is not None for x in xs):
        raise c.refuse(
            f"it joins {len(xs)} tensors along axis {axis}", "join channels, axis 1 of (N, C, ...)"
        )
    grids = [x.grid for x in xs]
    if any(g is None or not g.exact or np.any(g.offset) for g in grids):
        raise c.refuse("it joins tensors that are not quantised", "quantise each of them before it")
    known: list[Any] = [g for g in grids if g is not None]
    names = [c.values[x.base] for x in xs]
    same = all(
        np.ndim(g.scale) == 0 and g.scale == known[0].scale and np.all(g.zero == known[0].zero) for g in known
    )
    if not same and not all(len(x.chain) == 1 for x in xs):
        raise c.refuse(
            "it joins tensors of different scales", "give both one quantiser (Brevitas: a shared one)"
        )
    op = Concat(name=c.name(), inputs=tuple(x.base for x in xs))
    shape = (sum(x.shape[0] for x in xs), *xs[0].shape[1:])
    c.emit(op)
    if same:
        return Live(op.name, shape, None, xs[0].chain, xs[0].grid)
    return _per_channel(op.name, shape, known, [v.channels for v in names])


def _per_channel(name: str, shape: tuple[int, ...], grids: list[Any], counts: list[int]) -> Live:
    """Joined codes with the scale of each for its channels."""
    scale = np.concatenate([np.broadcast_to(g.scale, n) for g, n in zip(grids, counts, strict=True)])
    zero = np.concatenate([np.broadcast_to(g.zero, n) for g, n in zip(grids, counts, strict=True)])
    grid = Grid(scale, zero)
    return Live(name, shape, None, (on_grid(grid),), grid)


def part(c: Context, x: Live, index: NDArray[np.int64], axis: int) -> Live:
    """Some channels that lie side by side."""
    if axis != 1 or x.order is not None or np.any(np.diff(index) != 1):
        raise c.refuse(
            "it takes a part that is no range of channels", "slice channels, axis 1 of (N, C, ...)"
        )
    if len(index) == x.shape[0]:
        return x
    first, last = int(index[0]), int(index[-1]) + 1
    op = Slice(name=c.name(), inputs=(x.base,), start=first, stop=last)
    c.emit(op)
    chain = tuple(link.moved(lambda n: n[first:last]) for link in x.chain)
    grid = x.grid.moved(lambda n: n[first:last]) if x.grid else None
    return replace(x, base=op.name, shape=(len(index), *x.shape[1:]), chain=chain, grid=grid)
