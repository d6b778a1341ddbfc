"""Cycles per instruction, one table per core. Zero wait states; modelled, not measured on silicon."""

from edgeternary import cores
from edgeternary.run._emulator.timing.m0plus import M0PLUS
from edgeternary.run._emulator.timing.m3 import M3
from edgeternary.run._emulator.timing.m4 import M4
from edgeternary.run._emulator.timing.model import Cost, Timing

TABLES: dict[str, Timing] = {table.core: table for table in (M0PLUS, M3, M4)}


def for_core(core: str) -> tuple[Timing | None, str]:
    """The timing table of a core, or None, and how the cycles come about or why there are none."""
    if core in TABLES:
        return TABLES[core], "modelled, zero wait states"
    return None, cores.core(core).untimed or f"no timing model of {core}"


__all__ = ["TABLES", "Cost", "Timing", "for_core"]
