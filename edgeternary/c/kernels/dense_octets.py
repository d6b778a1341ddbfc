"""dense of integer weights on cores without DSP instructions: bytes w + 128, a product each."""

from edgeternary.c import products, products1
from edgeternary.c.product_kernel import Costs, Products
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.ir import Type
from edgeternary.ops import Dense


class DenseOctets(Products):
    name = "dense_octets"
    code = 600
    excess = products.BYTES
    bits = 8
    lanes = 1
    shapes = (4, 5, 6, 7, 8, 9, 10)
    costs = {"host": Costs(1, 1, 1, 10, 1), "cortex-m0plus": Costs(4, 5.7, 3, 80, 5)}

    def table(self, codes: Codes, registers: int) -> Table:
        return products.octets(codes, registers)

    def routine(self, registers: int, x: Type, wide: bool) -> list[str]:
        return products1.octets(registers, x, wide)

    def bytes(self, op: Dense, registers: int) -> int:
        return registers * products.blocks(op, registers) * op.weights.shape[1]
