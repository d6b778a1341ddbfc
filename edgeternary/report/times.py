"""Cycles as time, where a board and so its clock is known."""

from typing import Any


def at_clock(cycles: Any, clock_hz: float) -> dict[str, float]:
    """{"ms", "inferences_per_s"} of `cycles` an inference at `clock_hz`; {} where they are not known."""
    if not isinstance(cycles, int | float) or not cycles or not clock_hz:
        return {}
    return {"ms": round(1000 * cycles / clock_hz, 4), "inferences_per_s": round(clock_hz / cycles, 1)}
