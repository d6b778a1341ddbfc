"""Corrections of the kernels' own estimates, measured by `edgeternary bench --calibrate` and kept as data.

calibration.json: {kernel: {core: [factor of cycles, bytes of code]}}: the medians, over the layers of the
suite, of measured / estimated cycles, and of the flash that is taken beside what the cost names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from edgeternary.c.kernel import Cost, Offer

FILE = Path(__file__).with_name("calibration.json")
CODE = {
    "conv2d": 210, "conv2d_planes": 900, "conv2d_slices": 1500, "dense": 120, "dense_planes": 430,
    "dense_slices": 1280, "dense_tables": 800, "elementwise": 60, "max_pool": 200, "max_pool_planes": 250,
    "pack": 120, "pack_lanes": 200, "requantize": 70, "sum_pool": 65, "threshold": 80, "unpack": 80,
    "unpack_lanes": 120,
}  # fmt: skip  # bytes of functions beside what the costs name, where nothing was measured


@cache
def factors() -> dict[str, dict[str, tuple[float, int]]]:
    """{kernel: {core: (factor of cycles, bytes of code)}}; empty without a file."""
    if not FILE.is_file():
        return {}
    content: dict[str, dict[str, tuple[float, int]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def apply(kernel: str, core: str, offer: Offer) -> Cost:
    """The offer's cost, corrected; an alias costs nothing."""
    if offer.alias:
        return offer.cost
    factor, code = factors().get(kernel, {}).get(core, (1.0, CODE.get(kernel, 0)))
    return replace(offer.cost, cycles=offer.cost.cycles * factor, flash=offer.cost.flash + code)


def save(found: Mapping[str, Mapping[str, tuple[float, int]]]) -> None:
    """Keep other factors from now on."""
    lines = [f"{json.dumps(kernel)}: {json.dumps(found[kernel], sort_keys=True)}" for kernel in sorted(found)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    factors.cache_clear()
