"""dense with weights that are wires: rows of sums that share adders, see hdl.sharing."""

from edgeternary.hdl.matrix_rows import products
from edgeternary.hdl.part import WiredLayer
from edgeternary.ir import Value
from edgeternary.ops import Dense
from edgeternary_hw import Circuit, Number


class WiredDenseLayer(WiredLayer[Dense]):
    kind = "dense"

    def nodes(self, circuit: Circuit, op: Dense, x: list[Number], y: Value) -> list[Number]:
        return products(circuit, op.weights.tolist(), op.bias.tolist(), x)
