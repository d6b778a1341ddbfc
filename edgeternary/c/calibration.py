"""Bytes of code that the kernels' own estimates leave out.

`make bench-calibrate` measures how far the estimates are off, as factors of cycles and bytes of code.
"""

from __future__ import annotations

from dataclasses import replace

from edgeternary.c.kernel import Cost, Offer

CODE = {
    "conv2d": 210, "conv2d_planes": 900, "conv2d_slices": 1500, "dense": 120, "dense_planes": 430,
    "dense_slices": 1280, "dense_tables": 800, "elementwise": 60, "max_pool": 200, "max_pool_planes": 250,
    "pack": 120, "pack_lanes": 200, "requantize": 70, "sum_pool": 65, "threshold": 80, "unpack": 80,
    "unpack_lanes": 120,
}  # fmt: skip  # bytes of functions beside what the costs name, typical of the layers of the suite


def apply(kernel: str, offer: Offer) -> Cost:
    """The offer's cost, corrected; an alias costs nothing."""
    if offer.alias:
        return offer.cost
    return replace(offer.cost, flash=offer.cost.flash + CODE.get(kernel, 0))
