"""What the kernels of dense products share, see `products`: preconditions, cost, template fields."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

from edgeternary.c import accumulator, products
from edgeternary.c.assembly import joined, statements
from edgeternary.c.kernel import Body, Cost, Kernel, Match, Offer
from edgeternary.c.layouts import NATURAL
from edgeternary.c.tables import Table
from edgeternary.c.weights import Codes, is_packed
from edgeternary.cores import Core
from edgeternary.ir import Type, parse
from edgeternary.ir.types import INT32_HI
from edgeternary.ops import Dense

WIDEST = 255  # of a weight without a sign, and of an input


@dataclass(frozen=True)
class Costs:
    """Cycles, from counts of layers.

    term   of a register of sums and an input: its share of the load, the product, the addition
    group  for an input of a block: to load it, its share of the loop
    apart  of a register of sums at the end of a run, and call: of the run besides
    sum    of an input, where weights have an excess
    """

    term: float
    group: float
    apart: float
    call: float
    sum: float = 0


class Products(Kernel, abstract=True):
    """dense by one product for one or two outputs.

    excess, bits  what is added to weights, and how wide they may be
    lanes         outputs of a register of sums
    shapes        registers of sums that a block may have
    costs         by core; one that is not in there, and is not like another that is, has faster kernels
    """

    patterns = (("dense",), ("dense", "threshold"), ("dense", "requantize"))
    excess: ClassVar[int]
    bits: ClassVar[int]
    lanes: ClassVar[int]
    shapes: ClassVar[tuple[int, ...]]
    costs: ClassVar[dict[str, Costs]]

    @abstractmethod
    def table(self, codes: Codes, registers: int) -> Table:
        """Weights (out, in) for blocks of that many registers."""

    @abstractmethod
    def routine(self, registers: int, x: Type, wide: bool) -> list[str]:
        """Assembly, for `wide` cores with Thumb-2."""

    @abstractmethod
    def bytes(self, op: Dense, registers: int) -> int:
        """Of the weights."""

    def offers(self, match: Match) -> Iterator[Offer]:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        if match.core.name not in self.costs or is_packed(op.weight_type) or x.type.dtype.itemsize != 1:
            return
        if parse(op.weight_type).bits > self.bits or not accumulator.fits(match, op):
            return
        if WIDEST * WIDEST * op.weights.shape[1] > INT32_HI:
            return
        found = self._run(match, op)
        if found is None:
            return
        registers, cycles = self._best(match.core, op, found)
        cycles += accumulator.epilogue_cycles(match)
        cost = Cost(cycles, self.bytes(op, registers) + accumulator.epilogue_flash(match))
        for layout in accumulator.output_layouts(match):
            yield Offer((NATURAL,), layout, cost, scratch=4 * self._padded(op, registers))

    def body(self, match: Match, offer: Offer) -> Body:
        op, x = cast(Dense, match.ops[0]), match.ins[0]
        codes, after = accumulator.codes_and_epilogue(match, offer, op)
        run = self._run(match, op)
        assert run is not None
        registers, _ = self._best(match.core, op, run)
        table = self.table(codes, registers)
        fields = {
            "registers": registers, "w": table, "inputs": codes.shape[1], "outputs": len(codes),
            "padded": self._padded(op, registers), "block": registers * self.lanes, "run": run.inputs,
            "lanes": self.lanes, "excess": self.excess, "e": after.fields, "kind": self.name,
            "asm": statements(list(joined(self.routine(registers, x.type, not match.core.thumb1)))),
        }  # fmt: skip
        return Body([table, *after.tables], fields)

    def _run(self, match: Match, op: Dense) -> products.Run | None:
        if self.lanes == 1:
            return products.Run(op.weights.shape[1], 1)
        return products.run(op.weights, self.excess, match.ins[0])

    def _padded(self, op: Dense, registers: int) -> int:
        """Outputs, those that fill the last block included."""
        return products.blocks(op, registers * self.lanes) * registers * self.lanes

    def _best(self, core: Core, op: Dense, run: products.Run) -> tuple[int, float]:
        """Registers of a block, and cycles without the epilogue."""
        costs, inputs = self.costs[core.name], op.weights.shape[1]
        found = []
        for registers in self.shapes:
            blocks = products.blocks(op, registers * self.lanes)
            each = inputs * (costs.group + costs.term * registers) + run.count * (
                costs.call + costs.apart * registers
            )
            found.append((blocks * each + inputs * costs.sum, registers))
        cycles, registers = min(found)
        return registers, cycles
