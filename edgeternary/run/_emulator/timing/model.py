"""How a timing table turns a block of instructions into cycles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._emulator.decode import Block, Instruction

DATA = ("alu", "multiply", "multiply_accumulate", "multiply_long", "multiply_accumulate_long", "divide")
STORES = ("store", "store_indexed")


class Model(Protocol):
    """What is asked of a core's timing: Timing is a table, Pipeline follows results and pairs."""

    @property
    def core(self) -> str: ...

    @property
    def error(self) -> float: ...

    def steps(self, before: Block | None, block: Block) -> Sequence[float]:
        """Cycles of each instruction of `block` after `before` (None at the start).

        A branch between them is part of the first number; of an empty block, it is the only one.
        """


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
    error          the largest error on programs that were measured on a chip (docs/cycles.md): 0.05 is 5 %
    costs          by kind of instruction (see `decode.KINDS`)
    overlap        cycles saved by a single load or store right after a load whose result its address does
                   not need; a load of 32 bits that crosses a word of flash saves none
    address_stall  cycles added when an address comes from the result of the instruction right before
    store_load     cycles added by a load right after a store
    target         cycles added by a branch to an instruction of 32 bits that crosses a word of flash
    folded         cycles saved by an IT right after an instruction of 16 bits
    An instruction whose condition fails in an IT block is charged as if it ran: an upper bound.
    """

    core: str
    error: float
    costs: Mapping[str, Cost]
    overlap: int = 0
    address_stall: int = 0
    store_load: int = 0
    target: int = 0
    folded: int = 0

    def steps(self, before: Block | None, block: Block) -> list[int]:
        """See `Model`."""
        entry, steps = 0, []
        previous: Instruction | None = None
        if before is not None:
            last = before.instructions[-1]
            if before.end == block.address:
                previous = last
            else:
                entry += self._taken(last)
                if block.address % 4 and block.instructions and block.instructions[0].size == 4:
                    entry += self.target
        for instruction in block.instructions:
            steps.append(self._instruction(previous, instruction))
            previous = instruction
        return [entry + steps[0], *steps[1:]] if steps else [entry]

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
        if previous is None:
            return cycles
        if this.unit == "it" and previous.size == 2:
            cycles -= self.folded
        if previous.kind in STORES and this.kind in ("load", "load_multiple"):
            cycles += self.store_load
        if this.address_from:
            dependent = bool(this.address_from & previous.writes)
            if dependent and previous.kind in DATA:
                cycles += self.address_stall
            elif not dependent and previous.kind == "load" and self._overlaps(this):
                cycles -= self.overlap
        return cycles

    @staticmethod
    def _overlaps(this: Instruction) -> bool:
        return this.kind in STORES or (this.kind == "load" and not (this.size == 4 and this.address % 4))
