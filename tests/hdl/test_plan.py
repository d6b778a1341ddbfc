"""Planning: rates kept exactly, limits kept, refusals that say what would help; no tool but amaranth."""

from __future__ import annotations

import time

import numpy as np
import pytest

from edgeternary import zoo
from edgeternary.errors import EdgeTernaryError
from edgeternary.hdl.constraints import Constraints
from edgeternary.hdl.folding import Folding
from edgeternary.passes.cut import after
from edgeternary.run import run
from tests.full import FULL
from tests.golden.models import MODELS
from tests.need import need


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth")


@pytest.mark.parametrize(
    ("model", "device", "fps"),
    [
        ("mnist-mlp-binary-64", "hx8k", 400_000),
        ("mnist-cnn-2bit", "up5k", 1000),
        ("mnist-mlp-100", "up5k", 8000),
    ],
)
def test_a_rate_is_reached_with_what_the_device_has(model: str, device: str, fps: int) -> None:
    from edgeternary.hdl import devices, estimate, plan

    started = time.perf_counter()
    part = devices.part(device)
    design = plan.design(zoo.load(model), Constraints(device, fps))
    needs = estimate.total(design, device, part.ram_blocks)
    assert needs["cycles"] * fps <= part.clock * 1e6
    assert needs["luts"] <= part.luts and needs["ram_blocks"] <= part.ram_blocks
    assert time.perf_counter() - started < 10  # about 0.3 s


def test_faster_costs_more_and_maximize_takes_what_fits() -> None:
    from edgeternary.hdl import devices, estimate, plan

    graph, part = zoo.load("mnist-mlp-binary-64"), devices.part("hx8k")
    slow, fast, most = (
        estimate.total(plan.design(graph, constraints), "hx8k", part.ram_blocks)
        for constraints in (
            Constraints("hx8k", 50_000),
            Constraints("hx8k", 400_000),
            Constraints("hx8k", maximize=True),
        )
    )
    assert slow["luts"] < fast["luts"] <= most["luts"] < part.luts
    assert most["cycles"] <= fast["cycles"] < slow["cycles"]


def test_a_rate_out_of_reach_names_one_that_is() -> None:
    from edgeternary.hdl import hints

    with pytest.raises(EdgeTernaryError, match=r"does not reach 10,000,000 frames/s.*--fps \d+") as caught:
        hints.design(zoo.load("mnist-mlp-binary-64"), Constraints("up5k", 1e7))
    assert caught.value.code == 5


@pytest.mark.parametrize(
    ("model", "device", "words"),
    [
        ("mnist-mlp-100", "hx1k", r"does not fit Lattice iCE40HX1K.*takes.*--device up5k"),
        *([("fashion-resnet8", "up5k", r"does not fit Lattice iCE40UP5K.*takes.*--device gw2ar-18")] * FULL),
    ],
)
def test_too_large_a_network_is_refused_before_any_tool_runs(model: str, device: str, words: str) -> None:
    from edgeternary.hdl import hints

    with pytest.raises(EdgeTernaryError, match=words) as caught:
        hints.design(zoo.load(model), Constraints(device))
    assert caught.value.code == 5


def test_unknown_devices_name_the_nearest() -> None:
    from edgeternary.hdl import devices

    with pytest.raises(EdgeTernaryError, match=r"unknown device 'upk5'.*did you mean up5k") as caught:
        devices.family("upk5")
    assert caught.value.code == 2
    with pytest.raises(EdgeTernaryError, match=r"ice40 is a family.*choose hx1k, hx4k, up5k, hx8k"):
        devices.part("ice40")


def test_a_family_takes_no_constraints() -> None:
    from edgeternary.hdl import plan

    with pytest.raises(EdgeTernaryError, match=r"ice40 is a family.*choose hx1k, hx4k, up5k, hx8k") as caught:
        plan.design(zoo.load("mnist-mlp-binary-64"), Constraints("ice40", 1000))
    assert caught.value.code == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize(("device", "fps"), [("up5k", 1000), ("up5k", 20_000), ("ecp5-25f", 20_000)])
def test_cycles_are_predicted_exactly(name: str, device: str, fps: int) -> None:
    from edgeternary.hdl import plan
    from edgeternary.hdl.simulation.bench import simulate
    from edgeternary.ops import build

    graph = MODELS[name]()
    design = plan.design(graph, Constraints(device, fps))
    inputs = build.samples(np.random.default_rng(5), graph.input, 6)
    done = simulate(design, inputs)
    np.testing.assert_array_equal(done.outputs, run(graph, inputs, on="numpy").outputs)
    assert done.times[-1] - done.times[-2] == design.cycles


def test_a_graph_cut_after_its_encoder_takes_the_encoders_codes() -> None:
    whole = zoo.load("mnist-mlp-binary-64")
    images = zoo.images("mnist-mlp-binary-64")[0][:50].astype(np.int32)
    result = run(whole, images, on="numpy", taps=True)
    rest = after(whole, "bits")
    assert rest.input.type.name == "bipolar" and whole.meta.input_scale == 1 / 255
    assert rest.meta.input_scale == 1.0, "its input is bits, which have no scale"
    np.testing.assert_array_equal(run(rest, result.taps["bits"], on="numpy").outputs, result.outputs)
    with pytest.raises(EdgeTernaryError, match="it is the output"):
        after(whole, "fc4")


def test_one_bit_pixels_come_several_in_a_cycle() -> None:
    from edgeternary.hdl import plan
    from edgeternary.hdl.simulation.bench import simulate

    whole = zoo.load("mnist-mlp-binary-64")
    images = zoo.images("mnist-mlp-binary-64")[0][:4].astype(np.int32)
    codes = run(whole, images, on="numpy", taps=True)
    design = plan.design(after(whole, "bits"), Constraints("up5k", 150_000))
    assert design.i_lanes > 1 and design.cycles <= 280
    done = simulate(design, codes.taps["bits"])
    np.testing.assert_array_equal(done.outputs, codes.outputs)
    assert done.times[-1] - done.times[-2] == design.cycles


@pytest.mark.slow
@pytest.mark.parametrize("constraints", [{}, {"maximize": True}, {"fps": 3000}], ids=str)
def test_planning_for_single_port_ram_builds_few_designs(
    constraints: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound on work, not on time: each design that is tried once, each matrix taken apart once."""
    from edgeternary.hdl import matrix, plan

    tried: list[Folding] = []
    taken: list[int] = []
    build, planes = plan.build, matrix.WeightPlanes

    def counted(graph, folding, **options):
        tried.append(folding)
        return build(graph, folding, **options)

    monkeypatch.setattr(plan, "build", counted)
    monkeypatch.setattr(matrix, "WeightPlanes", lambda rows: taken.append(len(rows)) or planes(rows))
    matrix.planes_of.cache_clear()
    graph = zoo.load("fashion-mlp")
    design = plan.design(graph, Constraints("up5k", **constraints))
    assert design.single_port_rams == 4 and len(design.weights) > 60_000
    assert design.cycles == (12_544 if "fps" in constraints else 14_336)
    assert len(taken) == 3
    assert len(tried) <= 25
    distinct = [folding for k, folding in enumerate(tried) if folding not in tried[:k]]
    assert (
        len(tried) - len(distinct) <= 3
    )  # again with single-port RAM; what fits is checked, and built, once more
