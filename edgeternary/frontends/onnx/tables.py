"""Tables and larger maps: Gather by codes, and Resize by whole factors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeternary.frontends.onnx.functions import as_float
from edgeternary.frontends.onnx.grids import TABLE, on_grid
from edgeternary.frontends.onnx.scales import measured
from edgeternary.frontends.onnx.values import Const, Context, Grid, Live, Tensor
from edgeternary.ir import smallest
from edgeternary.ops import Lookup, Upsample

MOST_FACTOR = 2**15
INTEGERS = (5, 6, 7, 3)  # TensorProto: int16, int32, int64, int8


def cast(c: Context, x: Live) -> Live:
    """To float32; or to integers, where the numbers are integers."""
    to = int(c.here.get("to", 1))
    if to == 1:
        return as_float(x)
    if not x.chain:
        return x
    grid = x.grid
    if to not in INTEGERS or grid is None or np.any(np.asarray(grid.scale) != 1) or np.any(grid.offset):
        raise c.refuse(
            "it casts numbers that are no integers, or to another type",
            "cast to float32, or leave it out: a quantiser gives integers",
        )
    return x


def gather(c: Context, table: Tensor, index: Tensor) -> Live:
    """table[index] of constants by codes: a lookup."""
    if not isinstance(index, Live) or not isinstance(table, Const) or table.value.ndim != 1:
        raise c.refuse("it takes elements of a tensor", "gather from a constant of one axis, by codes")
    value = c.values[index.base]
    if not index.uniform or value.hi - value.lo >= TABLE:
        raise c.refuse("its index differs between channels, or has many codes", "index by codes of one scale")
    every = np.arange(value.lo, value.hi + 1, dtype=np.int64)[None]
    where = np.asarray(index(every), np.float64)[0]
    size = table.value.size
    if not np.all(np.isfinite(where)) or np.any(where != np.rint(where)):
        raise c.refuse("its index is no integer", "cast codes of scale 1")
    if where.min() < -size or where.max() >= size:
        raise c.refuse(
            f"its index reaches from {where.min():g} to {where.max():g}, its table has {size} entries",
            "give the table an entry for each code",
        )
    numbers = table.value.astype(np.float64)[where.astype(np.int64)]
    found = (
        measured(numbers[None])
        if table.value.dtype.kind == "f"
        else (numbers[None].astype(np.int64), np.ones(1))
    )
    if found is None:
        raise c.refuse("the numbers of its table have no common measure", "quantise them")
    whole, scale = found[0][0], float(found[1][0])
    kind = smallest(int(whole.min()), int(whole.max())).name
    op = Lookup(name=c.name(), inputs=(index.base,), table=whole.astype(np.int32), offset=value.lo, type=kind)
    c.emit(op)
    grid = Grid(np.asarray(scale))
    chain = (on_grid(grid),) if table.value.dtype.kind == "f" else ()
    return Live(op.name, index.shape, index.order, chain, grid)


def resize(c: Context, x: Live, *more: Tensor | None) -> Live:
    """Each pixel repeated: nearest neighbours of whole factors."""
    node = c.here
    constants = [k.value.reshape(-1) for k in more if isinstance(k, Const) and k.value.size]
    how = (
        node.get("coordinate_transformation_mode", "half_pixel"),
        node.get("nearest_mode", "round_prefer_floor"),
    )
    rank = len(x.shape) + 1
    if node.get("mode", "nearest") != "nearest" or len(constants) != 1 or constants[0].size != rank:
        raise c.refuse("it is no nearest neighbour of constant scales", "use mode=nearest and scales")
    if rank not in (3, 4) or x.order is not None:
        raise c.refuse(f"its input is {(1, *x.shape)}", "resize (N, channels, ...)")
    given = constants[0].astype(np.float64)
    factors = given if constants[0].dtype.kind == "f" else given / np.array([1, *x.shape])
    whole = [int(f) for f in factors]
    if np.any(factors != whole) or whole[:2] != [1, 1] or not 1 <= max(whole) <= MOST_FACTOR:
        raise c.refuse(
            f"its factors are {factors.tolist()}", "use whole factors of the axes after the channels"
        )
    repeats = how in (("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"))
    if not repeats and not (how == ("asymmetric", "round_prefer_floor") and max(whole) <= 2):
        raise c.refuse(f"it takes the neighbour {how[0]}, {how[1]}", "use asymmetric and floor")
    factor = (whole[2], whole[3]) if rank == 4 else (1, whole[2])
    if factor == (1, 1):
        return x
    op = Upsample(name=c.name(), inputs=(x.base,), factor=factor)
    c.emit(op)
    sizes = [n * f for n, f in zip(x.shape[1:], whole[2:], strict=True)]
    return replace(x, base=op.name, shape=(x.shape[0], *sizes))
