"""conv2d: a matrix times the taps of each window; depthwise, `pe` channels side by side."""

import math

from edgeternary.hdl.builder import Builder, Wire
from edgeternary.hdl.fold import Matrix, product_bits
from edgeternary.hdl.matrix import fold_of, product, unit
from edgeternary.hdl.part import Answers, Arrival, Layer
from edgeternary.hdl.wired import padded_element
from edgeternary.ir import Value
from edgeternary.ops import Conv2d
from edgeternary_hw.window import Window


class Conv2dLayer(Layer[Conv2d]):
    kind = "conv2d"
    answers = Answers.LATE

    def build(self, b: Builder, op: Conv2d, ins: list[Wire]) -> Wire:
        wire = ins[0]
        fold, own = fold_of(b, op)
        weights = op.weights.reshape(len(op.weights), -1)
        taps = op.kernel[0] * op.kernel[1] if fold.wide else op.kernel[0] if fold.tall else 1
        if taps > 1:  # columns in the order [kx][beat][ky][lane], or [beat][ky][kx][lane]
            out, ky, kx, run = op.weights.shape
            lanes = fold.simd // taps
            order = (0, 3, 1, 2, 4) if fold.wide else (0, 2, 3, 1, 4)
            weights = op.weights.reshape(out, ky, kx, run // lanes, lanes).transpose(order).reshape(out, -1)
        if op.kernel == (1, 1) and op.stride == (1, 1) and not any(op.pad) and op.groups == 1:
            return product(b, op, wire, weights)
        lanes = fold.pe if own else fold.simd // taps
        element = padded_element(wire, op)
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
        return unit(b, op, port, element, weights)

    def matrix(self, op: Conv2d, x: Value, y: Value) -> Matrix:
        rows, ky, kx, ins = op.weights.shape
        own = op.groups > 1 and op.groups == rows == x.channels
        vectors, block = math.prod(y.shape[:-1]), rows if own else rows // op.groups
        bits = product_bits(op.weight_type, x)
        return Matrix(vectors, rows, ky * kx * ins, ins, block, own, bits, ky, kx)

    def lanes(self, op: Conv2d, at: Arrival) -> int:
        return at.fold.outputs if at.fold else at.kept
