"""conv2d with weights that are wires: the product of a window, which a ring of rows gives, in every clock."""

import numpy as np

from edgeternary.hdl.matrix_rows import products
from edgeternary.hdl.part import WiredLayer
from edgeternary.ir import Value
from edgeternary.ops import Conv2d
from edgeternary_hw import Circuit, Number


class WiredConv2dLayer(WiredLayer[Conv2d]):
    kind = "conv2d"

    def refused(self, op: Conv2d) -> str:
        return "reads windows, so that other layers must be folded"

    def nodes(self, circuit: Circuit, op: Conv2d, x: list[Number], y: Value) -> list[Number]:
        """x: a window, row by row, channels last."""
        rows, ky, kx, run = op.weights.shape
        weights = np.zeros((rows, ky, kx, op.groups, run), np.int64)
        block = rows // op.groups
        for r in range(rows):
            weights[r, :, :, r // block] = op.weights[r]
        return products(circuit, weights.reshape(rows, -1).tolist(), op.bias.tolist(), x)
