"""Builders of the layers with weights."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element
from edgeternary.hdl.folding import Fold, matrix
from edgeternary.hdl.states import shown
from edgeternary.ir import Op
from edgeternary.ops import Conv2d, Dense
from edgeternary.passes.affine import Affine
from edgeternary_hw import Element, MatrixVector, Replay, Window
from edgeternary_hw.planes import WeightPlanes


def dense(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """Vector, repeated for every `pe` rows, times matrix."""
    assert isinstance(op, Dense)
    return _product(b, op, ins[0], op.weights, op.bias)


def conv2d(b: Builder, op: Op, ins: list[Wire]) -> Wire:
    """A matrix times the taps of each window; depthwise, `pe` channels side by side."""
    assert isinstance(op, Conv2d)
    wire = ins[0]
    fold, own = _fold(b, op)
    weights = op.weights.reshape(len(op.weights), -1)
    taps = op.kernel[0] * op.kernel[1] if fold.wide else op.kernel[0] if fold.tall else 1
    if taps > 1:  # columns in the order [kx][beat][ky][lane], or [beat][ky][kx][lane]
        out, ky, kx, run = op.weights.shape
        lanes = fold.simd // taps
        order = (0, 3, 1, 2, 4) if fold.wide else (0, 2, 3, 1, 4)
        weights = op.weights.reshape(out, ky, kx, run // lanes, lanes).transpose(order).reshape(out, -1)
    if op.kernel == (1, 1) and op.stride == (1, 1) and not any(op.pad) and op.groups == 1:
        return _product(b, op, wire, weights, op.bias)
    lanes = fold.pe if own else fold.simd // taps
    element = wire.element
    if wire.value.type.name == "int32" and any(op.pad):
        element = interval_element(min(wire.value.lo, op.pad_value), max(wire.value.hi, op.pad_value))
    wire = b.adapt(b.recode(wire, element, op.name), lanes, op.name)
    sections = wire.value.channels // lanes if own else op.groups
    window = Window(
        lanes * element.width,
        (wire.value.shape[0], wire.value.shape[1]),
        wire.value.channels // lanes,
        op.kernel,
        op.stride,
        op.pad,
        pad_word=element.pack([op.pad_value] * lanes),
        sections=sections,
        passes=1 if own else len(weights) // sections // fold.pe,
        tall=fold.tall,
        wide=fold.wide,
    )
    work = window.out_height * window.out_width * window.steps
    port = b.through(window, wire, op.name, "window", max(work, wire.value.size // lanes))
    return _unit(b, op, port, element, weights, op.bias, fold, own)


def _product(b: Builder, op: Op, wire: Wire, weights: np.ndarray, bias: np.ndarray) -> Wire:
    fold, _ = _fold(b, op)
    wire = b.adapt(wire, fold.simd, op.name)
    passes = len(weights) // fold.pe
    port = wire.port
    if passes > 1:
        bits = fold.simd * wire.element.width
        vector = weights.shape[1] // fold.simd
        busy = wire.value.size // fold.simd * passes
        port = b.through(Replay(bits, vector, passes), wire, op.name, "buffer", busy)
    return _unit(b, op, port, wire.element, weights, bias, fold, False)


def _unit(
    b: Builder,
    op: Op,
    port: object,
    element: Element,
    weights: np.ndarray,
    bias: np.ndarray,
    fold: Fold,
    own: bool,
) -> Wire:
    value = b.graph.values[op.name]
    out = interval_element(min(value.lo, -1), value.hi)  # sums leave the unit signed
    readers = b.graph.consumers(op.name)
    raw = op.name not in shown(b.graph) and [r.kind for r in readers] == ["threshold"]
    unit = MatrixVector(
        planes_of(np.asarray(weights, np.int32).tobytes(), weights.shape),
        bias.tolist(),
        element,
        pe=fold.pe,
        simd=fold.simd,
        outputs=fold.outputs,
        out_width=out.width,
        own=own,
        raw=raw,
        full=fold.full,
    )
    vectors = value.size // len(weights)
    passes = len(weights) // fold.pe
    b.through(unit, Wire(port, element, fold.simd, value), op.name, busy=vectors * passes * unit.interval)
    if raw:
        top = (1 << unit.acc_width) - 1
        affine = Affine(element.scale, np.asarray(unit.constants, np.int64), 0, top)
        return Wire(unit.o, Element("unsigned", unit.acc_width), fold.outputs, value, affine)
    return b.output(unit, op.name, fold.outputs, out)


@lru_cache(maxsize=64)
def planes_of(weights: bytes, shape: tuple[int, ...]) -> WeightPlanes:
    """Of an int32 matrix: planning builds the same ones again for every folding that it tries."""
    return WeightPlanes(np.frombuffer(weights, np.int32).reshape(shape).tolist())


def _fold(b: Builder, op: Op) -> tuple[Fold, bool]:
    shape = matrix(op, b.graph.ins(op)[0], b.graph.values[op.name])
    assert shape is not None
    return b.folding.folds[op.name], shape.own
