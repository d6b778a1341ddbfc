"""The inputs of the graph: the first quantiser of each says type, scale and zero point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.layout import graph_shape
from edgeternary.frontends.onnx.file import File
from edgeternary.frontends.onnx.quantisers import F, Quantiser, dequantise
from edgeternary.frontends.onnx.values import Context, Grid, Input, Link, Live, Node, Numbers
from edgeternary.ir import InputMeta, Value, parse
from edgeternary.ir.value import MAX_ELEMENTS

THROUGH = {
    "Quant", "IntQuant", "BipolarQuant", "QuantizeLinear", "DequantizeLinear", "Identity", "Cast", "Add",
    "Sub", "Mul", "Div", "Relu", "Clip",
}  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What the caller says of inputs without a quantiser: type "" for nothing."""

    type: str = ""
    scale: float = 1.0
    zero: int = 0


def start(c: Context, name: str, file: File, given: Given) -> None:
    """Puts the input `name` of the file into the context: floats to be quantised, or integer codes."""
    shape = _shape(name, file.inputs[name])
    last = len(shape) > 1 and _channels_last(name, file.nodes, len(shape))
    inner = graph_shape((shape[-1], *shape[:-1])) if last else graph_shape(shape)
    c.inputs[name] = Input(shape, last)
    order = np.arange(int(np.prod(shape))) if last else None
    if name in file.codes:
        kind = parse(file.codes[name])
        c.values[name] = Value(name, inner, kind, kind.lo, kind.hi)
        c.inputs[name].grid, c.inputs[name].codes = Grid(np.float64(1)), True
        c.tensors[name] = Live(name, shape, order, (), Grid(np.float64(1)))
        return
    if not given.type:
        c.values[name] = Value(name, inner, parse("int32"), -1, 1)
        c.tensors[name] = Live(name, shape, order, raw=name)
        return
    kind = parse(given.type)
    c.values[name] = Value(name, inner, kind, kind.lo, kind.hi)
    scale, zero = np.asarray(given.scale, F), np.asarray(given.zero, F)
    grid = Grid(scale.astype(np.float64), np.int64(given.zero))
    c.inputs[name].grid, c.inputs[name].given = grid, True
    c.tensors[name] = Live(name, shape, order, (Link(dequantise, (scale, zero)),), grid)


def _shape(name: str, dims: Sequence[int | None]) -> tuple[int, ...]:
    what = f"input {name[:80]!r} has the shape ({', '.join('?' if d is None else str(d) for d in dims[:8])})"
    if not 2 <= len(dims) <= 4:
        raise EdgeTernaryError(
            what, "an input is (samples, features), (samples, channels, length) or an image", "reshape it"
        )
    if dims[0] not in (None, 1):
        raise EdgeTernaryError(
            what, "its first axis is that of the samples, one at a time", "export one sample"
        )
    fixed = [d for d in dims[1:] if d is not None]
    if len(fixed) < len(dims) - 1:
        raise EdgeTernaryError(
            what,
            "the sizes of a graph are fixed, only the samples may be dynamic",
            "export it with fixed sizes",
        )
    if int(np.prod(fixed, dtype=object)) > MAX_ELEMENTS:
        raise EdgeTernaryError(what, f"a value has at most {MAX_ELEMENTS:,} elements", "use a smaller input")
    return tuple(fixed)


def _channels_last(name: str, nodes: Sequence[Node], rank: int) -> bool:
    """Whether the input is transposed to channels first before anything else reads it."""
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for read in node.inputs:
            readers.setdefault(read, []).append(node)
    open_, seen = [name], {name}
    while open_:
        for node in readers.get(open_.pop(), []):
            if node.type == "Transpose":
                return list(node.get("perm", [])) == [0, rank, *range(1, rank)]
            if node.type in THROUGH and node.outputs[0] not in seen:
                seen.add(node.outputs[0])
                open_.append(node.outputs[0])
    return False


def first(c: Context, x: Live, q: Quantiser) -> Live:
    """The first quantiser of an input: the input holds its codes."""
    known, grid = c.inputs[x.raw], q.source or q.grid
    if c.here.type in ("MultiThreshold", "Trunc"):
        raise unquantised(c, x)
    if any(n.ndim for n in (grid.scale, grid.zero) if isinstance(n, np.ndarray)) and x.base != x.raw:
        raise c.refuse(
            "the input is reshaped before a quantiser with a scale for each channel", "quantise first"
        )
    if known.grid is None:
        value = replace(c.values[x.raw], type=parse(q.type), lo=q.lo, hi=q.hi)
        known.grid, known.middle = grid, q.middle
        c.retype(value)
        c.remarks.append(f"the input {x.raw!r} holds its codes")
    elif not (_same(known.grid, grid) and c.values[x.raw].type.name == q.type):
        raise c.refuse(
            f"the input {x.raw!r} is read by two quantisers that differ",
            "quantise it once, and let both branches read that",
        )
    return Live(x.base, x.shape, x.order, (q.back,) if q.back else (), q.grid)


def _same(a: Grid, b: Grid) -> bool:
    return np.array_equal(a.scale, b.scale) and np.array_equal(a.zero, b.zero)


def unquantised(c: Context, x: Live) -> EdgeTernaryError:
    """The refusal of an operator that reads floats of the input."""
    return c.refuse(
        f"it reads the input {x.raw!r} before any quantiser",
        "put a quantiser on the input (Brevitas: QuantIdentity; ONNX: QuantizeLinear), or say what its codes "
        "are: --input-type uint8 --input-scale 0.00392 (1/255) for pixels that the model takes as 0 to 1",
    )


def metas(c: Context) -> Iterator[tuple[str, InputMeta]]:
    """What the codes of each input mean."""
    for name, known in c.inputs.items():
        if known.grid is None:
            raise EdgeTernaryError(
                f"input {name[:80]!r} is read by no quantiser",
                "nothing says what its codes are",
                "leave it out of the model, or name a cut after it",
            )
        scale, zero = _plain(known.grid.scale), _plain(known.grid.zero)
        yield (
            name,
            InputMeta(
                scale=tuple(map(float, scale)) if isinstance(scale, list) else float(scale),
                zero=tuple(map(int, zero)) if isinstance(zero, list) else int(zero),
            ),
        )


def _plain(n: Numbers) -> list[float] | float:
    found: list[float] | float = np.asarray(n).tolist()
    return found


def info(c: Context) -> Mapping[str, str]:
    """meta.info for judges: shapes and layouts of the inputs in the file."""
    several = len(c.inputs) > 1
    found = {
        f"torch_shape:{name}" if several else "torch_shape": " ".join(map(str, known.shape))
        for name, known in c.inputs.items()
    }
    last = [name for name, known in c.inputs.items() if known.last]
    middles = {name: known.middle for name, known in c.inputs.items() if known.middle}
    codes = [name for name, known in c.inputs.items() if known.codes]
    if codes:
        found["onnx_codes"] = " ".join(codes)
    if last:
        found["torch_channels_last"] = " ".join(last)
    if any(known.given for known in c.inputs.values()):
        found["onnx_input_type"] = "given"
    if middles:
        found["onnx_middle"] = " ".join(f"{middle:g}" for middle in middles.values())
    return found
