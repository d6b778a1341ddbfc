"""dense of up to four bits without DSP instructions: nibbles that a mask spreads, half a byte a weight."""

from edgeternary.c import products, products1
from edgeternary.c.product_kernel import Costs, Products
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.ir import Type
from edgeternary.ops import Dense


class DenseNibbles(Products):
    name = "dense_nibbles"
    code = 700
    excess = products.NIBBLES
    bits = 4
    lanes = products.LANES
    shapes = (products1.SPREAD, 2 * products1.SPREAD)
    costs = {
        "host": Costs(2, 1, 4, 10, 1), "cortex-m0plus": Costs(4.35, 6.6, 13, 75, 5),
        "cortex-m3": Costs(4, 4, 12, 30, 4),
    }  # fmt: skip

    def table(self, codes: Codes, registers: int) -> Table:
        return products.nibbles(codes, registers // products1.SPREAD)

    def routine(self, registers: int, x: Type, wide: bool) -> list[str]:
        return products1.nibbles(registers // products1.SPREAD, x, wide)

    def bytes(self, op: Dense, registers: int) -> int:
        return registers * products.blocks(op, registers * self.lanes) * op.weights.shape[1]
