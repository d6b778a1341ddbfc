"""The table {operator of the file: what reads it}."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.frontends.onnx import (
    constants,
    ends,
    functions,
    integers,
    joins,
    matrices,
    moves,
    pools,
    tables,
)
from edgeternary.frontends.onnx import quantising as q
from edgeternary.frontends.onnx.file import QONNX
from edgeternary.frontends.onnx.values import Const, Context, Live, Refused, Tensor

Handler = Callable[..., Tensor]

MOVES: dict[str, Handler] = {
    "Reshape": moves.reshape, "Flatten": moves.flatten, "Squeeze": moves.squeeze,
    "Unsqueeze": moves.unsqueeze, "Transpose": moves.transpose,
}  # fmt: skip


def _same(c: Context, x: Tensor, *_: Tensor) -> Tensor:
    return x


def _shape(c: Context, x: Tensor) -> Const:
    shape = x.shape if isinstance(x, Const) else (1, *x.shape)
    return Const(np.array(shape[c.here.get("start", 0) : c.here.get("end", None)], np.int64))


def _slice(c: Context, x: Live, *more: Const) -> Live:
    """Slices of channels; the rest of an axis is found as ONNX says."""
    places = Const(np.arange(x.shape[0]).reshape(1, -1) if len(x.shape) else np.zeros((1, 0)))
    wide = Const(np.broadcast_to(places.value.reshape(1, -1, *([1] * (len(x.shape) - 1))), (1, *x.shape)))
    index = constants.slices(c, wide, *more).value
    whole = index.shape[2:] == (*x.shape[1:],) and index.shape[0] == 1 and index.size
    if not whole:
        raise c.refuse(
            "it takes a part that is no range of channels", "slice channels, axis 1 of (N, C, ...)"
        )
    return moves.part(c, x, index.reshape(index.shape[1], -1)[:, 0], 1)


LIVE: dict[str, Handler] = {
    **dict.fromkeys(q.KINDS, q.quantise),
    **MOVES,
    "DequantizeLinear": q.dequantise,
    "Identity": _same, "Dropout": _same, "Cast": tables.cast,
    "Gather": tables.gather, "Resize": tables.resize, "Shape": _shape,
    "Conv": matrices.conv, "Gemm": matrices.gemm, "MatMul": matrices.matmul,
    "ConvInteger": integers.conv_integer, "MatMulInteger": integers.matmul_integer,
    "QGemm": integers.qgemm, "QLinearGlobalAveragePool": integers.qlinear_mean,
    "QLinearConv": integers.qlinear_conv, "QLinearMatMul": integers.qlinear_matmul,
    "BatchNormalization": functions.batch_norm, "Neg": functions.negate,
    "MaxPool": pools.max_pool, "AveragePool": pools.average_pool, "ReduceMean": pools.reduce_mean,
    "GlobalAveragePool": pools.global_average, "Pad": integers.pad,
    "Concat": moves.concat, "Slice": _slice, "ArgMax": ends.argmax, "TopK": ends.argmax,
    **dict.fromkeys(functions.UNARY, functions.unary),
}  # fmt: skip
TWO = {"Add": joins.add, "Sub": joins.subtract, "Mul": joins.multiply}
CONSTANT: dict[str, Handler] = {
    **dict.fromkeys(constants.ELEMENTWISE, constants.elementwise),
    **MOVES,
    "Constant": constants.constant, "Identity": _same, "Dropout": _same, "Cast": constants.cast,
    "Concat": constants.concat, "Gather": constants.gather, "Slice": constants.slices,
    "ConstantOfShape": constants.of_shape, "Expand": constants.expand, "Shape": _shape,
    "DequantizeLinear": q.dequantise,
    **{kind: q.quantise for kind in q.KINDS if kind != "Sign"},
}  # fmt: skip
NEAREST = {
    "Softmax": "leave it off: --until the layer before it",
    "LSTM": "an edgeternary.nn model with states", "GRU": "an edgeternary.nn model with states",
    "ConvTranspose": "an upsample and a Conv, in edgeternary.nn",
    "LayerNormalization": "BatchNormalization", "InstanceNormalization": "BatchNormalization",
    "DynamicQuantizeLinear": "static quantisation: QuantizeLinear with constant scales",
    "FloatQuant": "Quant with an integer bit width", "Gelu": "Relu and a quantiser",
    "Erf": "Relu and a quantiser",
    "QLinearAdd": "quant_format=QuantFormat.QDQ", "QLinearAveragePool": "quant_format=QuantFormat.QDQ",
    "QLinearConcat": "quant_format=QuantFormat.QDQ", "If": "a model without branches",
    "Loop": "one step of it", "Scan": "one step of it",
}  # fmt: skip
PADDED = ("Conv", "ConvInteger", "QLinearConv", "DequantizeLinear", "Identity")
RUNTIME = "com.microsoft"
OWN: dict[str, tuple[str, ...]] = {  # operators of other domains than ONNX's
    **dict.fromkeys(("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold"), QONNX),
    "QGemm": (RUNTIME,), "QLinearGlobalAveragePool": (RUNTIME,),
    "QuantizeLinear": ("", RUNTIME), "DequantizeLinear": ("", RUNTIME),
}  # fmt: skip
ARITHMETIC = ("Add", "Sub", "Mul", "Div")


def apply(c: Context, xs: list[Tensor | None]) -> Tensor:
    """The result of the operator c.here on its inputs, None for one that is left out."""
    node = c.here
    if any(value is None for value in node.attributes.values()):
        raise c.refuse(
            "it holds a graph of its own", f"nearest is {NEAREST.get(node.type, 'a model without it')}"
        )
    while xs and xs[-1] is None:
        xs = xs[:-1]
    live = [x for x in xs if isinstance(x, Live)]
    if node.domain not in OWN.get(node.type, ("",)):
        return _call(c, None, xs)
    if not live:
        return _call(c, CONSTANT.get(node.type), xs)
    _check_raw(c, live)
    if any(any(x.pads) for x in live) and node.type not in PADDED:
        raise c.refuse(
            "a Pad comes before it", "put the Pad directly before a Conv, or use the pads of a pool"
        )
    if node.type in ARITHMETIC and len(live) == 1 and len(xs) == 2:
        return _call(c, functions.arithmetic, xs)
    if node.type in TWO and len(live) == 2:
        return _call(c, TWO[node.type], xs)
    if node.type == "Concat" and len(live) < len(xs):
        raise c.refuse("it joins constants and tensors", "join tensors alone")
    return _call(c, LIVE.get(node.type), xs)


def _check_raw(c: Context, live: list[Live]) -> None:
    from edgeternary.frontends.onnx.inputs import unquantised

    node = c.here
    may = node.type in MOVES or node.type in q.KINDS or node.type in ("Identity", "Dropout", "Shape")
    if not may and any(x.raw for x in live):
        raise unquantised(c, next(x for x in live if x.raw))


def _call(c: Context, handler: Handler | None, xs: list[Tensor | None]) -> Tensor:
    node = c.here
    if handler is None:
        domain = f"of the domain {node.domain[:60]!r} " if node.domain else ""
        near = NEAREST.get(node.type)
        raise c.refuse(
            f"the operator {domain}is not read",
            f"nearest is {near}"
            if near
            else "see docs/onnx.md for those that are, or cut the model before it",
        )
    try:
        found = handler(c, *xs)
    except Refused:
        raise
    except EdgeTernaryError as error:
        raise c.refuse(f"{error.what}: {error.why}", error.remedy) from error
    except (
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        AssertionError,
        OverflowError,
        MemoryError,
    ) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise c.refuse(f"its inputs and attributes do not fit: {said}", "export the model again") from error
    return replace(found)
