"""Cycles on cores that issue two instructions at once, or whose results come later than the next cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from edgeternary.run._emulator.decode import Block, Instruction

MULTIPLY = ("multiply", "multiply_accumulate", "multiply_long", "multiply_accumulate_long")
STORE = ("store", "store_indexed", "store_double", "store_multiple", "vector_store", "scatter")
SEVERAL = ("load_multiple", "store_multiple", "load_multiple_pc")
JUMPS = ("branch", "branch_register", "call", "call_register", "table_branch", "load_pc", "load_multiple_pc")


@dataclass(frozen=True)
class Result:
    """When a result can be used, in cycles after its instruction was issued.

    late    by most instructions; 0: by the one that is issued together with it
    early   by a shifter, or as part of an address
    adds    as what a product is added to
    stored  as what is stored
    """

    late: int
    early: int
    adds: int
    stored: int


@dataclass
class State:
    """What the core does when the next instruction comes.

    now    the cycle of the last instruction;  place  how many were issued in it
    older  that one, where another may be issued together with it
    free   the first cycle in which an instruction can be issued alone
    ready  {register: (cycle in which its instruction was issued, its result)}
    units  {unit of several cycles: the first one in which it is free}
    """

    now: int = -1
    place: int = 0
    older: Instruction | None = None
    free: int = 0
    ready: dict[int, tuple[int, Result]] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)


def _nothing(this: Instruction) -> tuple[str, int]:
    """No instruction keeps a unit."""
    return "", 0


@dataclass(frozen=True)
class Pipeline:
    """The rules of one core.

    core     "cortex-m7"
    error    the largest error on programs that were measured on a chip (docs/cycles.md)
    results  by kind of instruction, or else by its unit; "late" for all others
    lasts    cycles during which nothing else is issued
    pairs    whether a younger instruction can be issued together with the older one before it
    taken    cycles that a taken branch adds; the second argument: it was issued as the younger one
    missed   cycles that a conditional branch backwards adds when it goes on: the end of a loop, not predicted
    occupies  the unit that an instruction keeps while others are issued, and for how many cycles
    shares   a place that a pair leaves free counts half a cycle: two of any kind can be issued at once
    """

    core: str
    error: float
    results: Mapping[str, Result]
    lasts: Callable[[Instruction], int]
    pairs: Callable[[Instruction, Instruction], bool]
    taken: Callable[[Instruction, bool], int]
    missed: int = 0
    occupies: Callable[[Instruction], tuple[str, int]] = _nothing
    shares: bool = False

    def steps(self, before: Block | None, block: Block) -> list[float]:
        """See `Model`."""
        state, times = State(), [0.0]
        if before is not None:
            for instruction in before.instructions:
                self.issue(state, instruction)
            times = [self.spent(state)]
            self.leave(state, before.instructions[-1], before.end != block.address)
        for instruction in block.instructions:
            self.issue(state, instruction)
            times.append(self.spent(state))
        if not block.instructions:
            times.append(self.spent(state))
        return [later - earlier for earlier, later in pairwise(times)]

    def spent(self, state: State) -> float:
        """Cycles until now; half of one for an instruction that another may join."""
        if state.older is not None and self.shares and state.free == state.now + 1:
            return state.now + 0.5
        return state.free

    def leave(self, state: State, last: Instruction, jumped: bool) -> None:
        """The core goes from one block to the next."""
        if jumped:
            state.free += self.taken(last, state.place == 2)
            state.older = None
        elif last.kind == "branch" and self.missed and _backward(last):
            state.free += self.missed
            state.older = None

    def issue(self, state: State, this: Instruction) -> None:
        """The next instruction."""
        unit, cycles = self.occupies(this)
        needed = [state.units.get(unit, 0), *(at + wait for at, wait in self._needed(state, this))]
        older, ready = state.older, max(needed, default=0)
        if older is not None and ready <= state.now and self.pairs(older, this):
            state.place, state.older = 2, None
        else:
            state.now, state.place, state.older = max(state.free, ready), 1, this
        if unit:
            state.units[unit] = state.now + cycles
        lasts = self.lasts(this)
        state.free = state.now + lasts
        if lasts > 1:
            state.older = None
        result = self.results.get(this.kind) or self.results.get(this.unit) or self.results["late"]
        for register in this.writes:
            base = this.writeback and register in this.address_from
            state.ready[register] = state.now, self.results["early"] if base else result

    def _needed(self, state: State, this: Instruction) -> Iterable[tuple[int, int]]:
        """For each register that `this` needs: when its instruction was issued, and how long that takes."""
        for register in this.reads & state.ready.keys():
            at, result = state.ready[register]
            if register in this.address_from or register in this.shifter:
                yield at, result.early
            elif register in this.adds:
                yield at, result.adds
            else:
                yield at, result.stored if this.kind in STORE else result.late


def _backward(branch: Instruction) -> bool:
    """It jumps to a lower address when it jumps."""
    target = branch.text.rpartition("#")[2]
    return target.startswith("0x") and int(target, 16) <= branch.address
