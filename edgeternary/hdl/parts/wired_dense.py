"""dense with weights that are wires."""

from edgeternary.hdl.wired import WiredLayer
from edgeternary.ir import Value
from edgeternary.ops import Dense
from edgeternary_hw import Circuit, Number
from edgeternary_hw.circuit import total


class WiredDenseLayer(WiredLayer[Dense]):
    kind = "dense"

    def nodes(self, circuit: Circuit, op: Dense, x: list[Number], y: Value) -> list[Number]:
        rows = zip(op.weights.tolist(), op.bias.tolist(), strict=True)
        return [total(zip(row, x, strict=True), bias) for row, bias in rows]
