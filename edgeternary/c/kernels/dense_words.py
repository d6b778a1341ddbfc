"""dense of up to four bits on cores without DSP instructions: words of two weights, two bytes a weight."""

from edgeternary.c import products, products1
from edgeternary.c.product_kernel import Costs, Products
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes
from edgeternary.ir import Type
from edgeternary.ops import Dense

WORD_BYTES = 4


class DenseWords(Products):
    name = "dense_words"
    code = 700
    excess = 0
    bits = 4
    lanes = products.LANES
    shapes = (1, 2, 3, 4, 5, 6)
    costs = {
        "host": Costs(1.5, 1, 4, 10), "cortex-m0plus": Costs(3.4, 4.6, 13, 75),
        "cortex-m3": Costs(3.5, 4, 12, 30),
    }  # fmt: skip

    def table(self, codes: Codes, registers: int) -> Table:
        return products.words(codes, registers)

    def routine(self, registers: int, x: Type, wide: bool) -> list[str]:
        return products1.words(registers, x, wide)

    def bytes(self, op: Dense, registers: int) -> int:
        return WORD_BYTES * registers * products.blocks(op, registers * self.lanes) * op.weights.shape[1]
