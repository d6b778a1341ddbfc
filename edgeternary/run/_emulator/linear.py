"""Cycles of code that was counted by address: in QEMU, where no pairs of blocks are seen."""

from __future__ import annotations

from collections.abc import Mapping

from edgeternary.errors import EdgeTernaryError
from edgeternary.image.elf import Elf
from edgeternary.run._emulator.decode import Instruction, decoder, instruction
from edgeternary.run._emulator.timing.pipeline import Pipeline, State
from edgeternary.run._emulator.vectors import vector


class Linear:
    """The cycles of the code of one image.

    Each instruction is timed after those that lie before it, which ran before it unless something branched to
    it: what a loop's first instructions wait for across its branch is left out.
    """

    def __init__(self, elf: Elf, model: Pipeline) -> None:
        self._elf, self._model = elf, model
        self._capstone = decoder()
        self._known: dict[int, Instruction] = {}

    def cycles(self, at: Mapping[int, tuple[int, int]]) -> int:
        """at: {address: (times it ran, times something else than the next instruction ran after it)}."""
        state, end, total = State(), -1, 0.0
        for address in sorted(at):
            runs, taken = at[address]
            this = self._decoded(address)
            if address != end:
                state = State()
            spent = self._model.spent(state)
            self._model.issue(state, this)
            total += (self._model.spent(state) - spent) * runs
            total += self._model.taken(this, state.place == 2) * taken
            end = address + this.size
        return round(total)

    def _decoded(self, address: int) -> Instruction:
        if address not in self._known:
            self._known[address] = self._read(address)
        return self._known[address]

    def _read(self, address: int) -> Instruction:
        wide = self._elf.read(address, 2)[1] >> 3 in (0b11101, 0b11110, 0b11111)
        code = self._elf.read(address, 4 if wide else 2)
        found = vector(address, code) if wide else None
        if found is None:
            decoded = next(self._capstone.disasm(code, address, 1), None)
            if decoded is None:
                raise EdgeTernaryError(
                    f"cannot decode the instruction at {self._elf.where(address)}",
                    f"its bytes are {code.hex()}",
                )
            found = instruction(decoded)
        return found
