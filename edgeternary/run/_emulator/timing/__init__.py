"""Cycles of instructions, one model per core. Zero wait states; modelled, with an error that docs/cycles.md
measures."""

from edgeternary.run._emulator.timing.m0plus import M0, M0PLUS
from edgeternary.run._emulator.timing.m3 import M3
from edgeternary.run._emulator.timing.m4 import M4
from edgeternary.run._emulator.timing.m7 import M7
from edgeternary.run._emulator.timing.m33 import M33
from edgeternary.run._emulator.timing.m55 import M55
from edgeternary.run._emulator.timing.model import Cost, Model, Timing
from edgeternary.run._emulator.timing.waits import ERROR, Fetch

TABLES: dict[str, Model] = {model.core: model for model in (M0PLUS, M3, M4, M7, M33, M55)}
COMPARED: dict[str, Model] = {**TABLES, M0.core: M0}  # with those that no image is built for


def for_core(core: str, fetch: Fetch | None = None) -> tuple[Model | None, str]:
    """The timing model of a core, or None, and how the cycles come about or why there are none."""
    if core in TABLES:
        return TABLES[core], f"modelled, {fetch or 'zero wait states'}, {margin(core, bool(fetch))}"
    return None, f"no timing model of {core}"


def margin(core: str, waits: bool = False) -> str:
    """The error of a core's cycles, as reports and tables print it: "+-5 %"; "" where there is no model."""
    if core not in TABLES:
        return ""
    return f"+-{round(100 * max(TABLES[core].error, ERROR if waits else 0))} %"


__all__ = ["COMPARED", "TABLES", "Cost", "Model", "Timing", "for_core", "margin"]
