"""An estimate is a value: whatever is estimated before, the same design gives the same text."""

from __future__ import annotations

import os
import random

import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.devices import FAMILIES, PARTS, family
from edgeternary.ir import Graph
from tests.need import need
from tests.registry.graphs import STATEFUL, WHOLE, chosen, kinds
from tests.registry.test_hdl import REFUSED

need("amaranth")

from edgeternary.hdl import estimate, memory  # noqa: E402
from edgeternary.hdl.emit import design_rtlil  # noqa: E402
from edgeternary.hdl.folding import fold  # noqa: E402
from edgeternary.hdl.loading import with_loader  # noqa: E402
from edgeternary.hdl.top import Design, build  # noqa: E402

DEVICES = (*PARTS, *FAMILIES)
EXAMPLES = {kind: (lambda kind=kind: chosen(kind)) for kind in kinds() if kind not in REFUSED}
EXAMPLES |= {make.__name__: (lambda make=make: [make()]) for make in (*WHOLE, *STATEFUL)}


def estimates(design: Design, rng: random.Random) -> None:
    """Some devices with few, many or any number of block RAMs, and with single-port RAMs, in any order."""
    for _ in range(2):
        device, blocks = rng.choice(DEVICES), rng.choice((0, 1, 4, 99, None))
        estimate.by_part(design, device, blocks)
        with_loader(memory.placed(design, family(device), blocks, rng.choice((0, 4))))
    estimate.least(design, rng.choice(DEVICES))
    assert design.cycles > 0 and design.latency > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_estimates_leave_a_design_as_it_is(name: str) -> None:
    """Of an op its last example that has hardware; with EDGETERNARY_FULL=1 every one.

    The text is that of the design, or of the one with its memories placed.
    """
    graphs: list[Graph] = EXAMPLES[name]()
    rng, compared = random.Random(name), 0
    for graph in reversed(graphs):
        try:
            design = build(graph, fold(graph, 16))
        except EdgeTernaryError:
            continue  # no hardware, and no estimate either
        placed = memory.placed(design, family(rng.choice(("ecp5", "ice40"))), 2)
        written = rng.choice((design, placed))
        text = design_rtlil(written)
        figures = estimate.by_part(design, "up5k", 3), design.cycles, placed.cycles
        estimates(design, rng)
        estimates(placed, rng)
        assert design_rtlil(written) == text
        assert (estimate.by_part(design, "up5k", 3), design.cycles, placed.cycles) == figures
        compared += 1
        if not os.environ.get("EDGETERNARY_FULL"):
            break
    assert compared
