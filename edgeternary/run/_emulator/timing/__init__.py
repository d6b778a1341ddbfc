"""Cycles per instruction, one table per core. Zero wait states; modelled, not measured on silicon."""

from __future__ import annotations

from edgeternary.run._emulator.timing.m0plus import M0PLUS
from edgeternary.run._emulator.timing.m3 import M3
from edgeternary.run._emulator.timing.m4 import M4
from edgeternary.run._emulator.timing.model import Cost, Timing

TABLES: dict[str, Timing] = {table.core: table for table in (M0PLUS, M3, M4)}
NO_TABLE = {
    "cortex-m7": "no timing model: it issues two instructions a cycle and predicts branches",
    "cortex-m33": "no timing model: its manual gives no instruction timings",
}


def for_core(core: str) -> tuple[Timing | None, str]:
    """The timing table of a core, or None, and how the cycles come about or why there are none."""
    if core in TABLES:
        return TABLES[core], "modelled, zero wait states"
    return None, NO_TABLE[core]


__all__ = ["NO_TABLE", "TABLES", "Cost", "Timing", "for_core"]
