"""How a timing table turns a block of instructions into cycles."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._emulator.decode import Block, Instruction

DATA = ("alu", "multiply", "multiply_accumulate", "multiply_long", "multiply_accumulate_long", "divide")


@dataclass(frozen=True)
class Cost:
    """Cycles of one kind of instruction.

    base   always
    each   more for each register of its list
    taken  more when it branches; None: it cannot
    """

    base: int
    each: int = 0
    taken: int | None = None


@dataclass(frozen=True)
class Timing:
    """The table of one core.

    core           "cortex-m4"
    costs          by kind of instruction (see `decode.KINDS`)
    overlap        cycles saved by a single load, or a store with register offset, right after a load
                   whose result its address does not need
    address_stall  cycles added when an address comes from the result of the instruction right before
    An instruction whose condition fails in an IT block is charged as if it ran: an upper bound.
    """

    core: str
    costs: Mapping[str, Cost]
    overlap: int = 0
    address_stall: int = 0

    def cycles(self, before: Block | None, block: Block) -> int:
        """Cycles of `block`, and of the branch from `before` (None at the start) if it was taken."""
        total = 0
        previous: Instruction | None = None
        if before is not None:
            last = before.instructions[-1]
            if before.end == block.address:
                previous = last
            else:
                total += self._taken(last)
        for instruction in block.instructions:
            total += self._instruction(previous, instruction)
            previous = instruction
        return total

    def _taken(self, last: Instruction) -> int:
        taken = self.costs[last.kind].taken
        if taken is None:
            raise EdgeTernaryError(
                "the instruction count cannot be trusted", f"the emulator left a block after {last.text!r}"
            )
        return taken

    def _instruction(self, previous: Instruction | None, this: Instruction) -> int:
        cost = self.costs[this.kind]
        cycles = cost.base + cost.each * this.registers
        if previous is not None and this.address_from:
            dependent = bool(this.address_from & previous.writes)
            if dependent and previous.kind in DATA:
                cycles += self.address_stall
            elif not dependent and previous.kind == "load" and this.kind in ("load", "store_indexed"):
                cycles -= self.overlap
        return cycles
