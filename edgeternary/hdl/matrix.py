"""How layers with weights are built: a buffer or a window that repeats inputs, and a matrix-vector unit."""

from functools import lru_cache

import numpy as np

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.elements import interval_element
from edgeternary.hdl.fold import Fold
from edgeternary.hdl.parts import layers
from edgeternary.hdl.states import shown
from edgeternary.ops import Conv2d, Dense
from edgeternary.passes.affine import Affine
from edgeternary_hw.element import Element
from edgeternary_hw.fifo import Replay
from edgeternary_hw.mvu import MatrixVector
from edgeternary_hw.planes import WeightPlanes


def product(b: Builder, op: Dense | Conv2d, wire: Wire, weights: np.ndarray) -> Wire:
    """The vector, repeated for every `pe` rows, times `weights` (rows, columns) in the order of the beats."""
    fold, _ = fold_of(b, op)
    wire = b.adapt(wire, fold.simd, op.name)
    passes = len(weights) // fold.pe
    port = wire.port
    if passes > 1:
        bits = fold.simd * wire.element.width
        vector = weights.shape[1] // fold.simd
        busy = wire.value.size // fold.simd * passes
        port = b.through(Replay(bits, vector, passes), wire, op.name, "buffer", busy)
    return unit(b, op, port, wire.element, weights)


def unit(b: Builder, op: Dense | Conv2d, port: object, element: Element, weights: np.ndarray) -> Wire:
    """The products of `weights` (rows, columns) with what comes out of `port`, a stream of `element`."""
    fold, own = fold_of(b, op)
    value = b.graph.values[op.name]
    out = interval_element(min(value.lo, -1), value.hi)  # sums leave the unit signed
    readers = b.graph.consumers(op.name)
    raw = op.name not in shown(b.graph) and [r.kind for r in readers] == ["threshold"]
    part = MatrixVector(
        planes_of(np.asarray(weights, np.int32).tobytes(), weights.shape),
        op.bias.tolist(),
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
    b.through(part, Wire(port, element, fold.simd, value), op.name, busy=vectors * passes * part.interval)
    if raw:
        top = (1 << part.acc_width) - 1
        affine = Affine(element.scale, np.asarray(part.constants, np.int64), 0, top)
        return Wire(part.o, Element("unsigned", part.acc_width), fold.outputs, value, affine)
    return b.output(part, op.name, fold.outputs, out)


@lru_cache(maxsize=64)
def planes_of(weights: bytes, shape: tuple[int, ...]) -> WeightPlanes:
    """The planes of an int32 matrix: planning builds the same ones for every folding that it tries."""
    return WeightPlanes(np.frombuffer(weights, np.int32).reshape(shape).tolist())


def fold_of(b: Builder, op: Dense | Conv2d) -> tuple[Fold, bool]:
    """The fold of a layer, and whether every row has its own input."""
    shape = layers()[op.kind].matrix(op, b.graph.ins(op)[0], b.graph.values[op.name])
    assert shape is not None
    return b.folding.folds[op.name], shape.own
