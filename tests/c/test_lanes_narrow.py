"""8-bit lanes at their limits: sums that just fit, that need two parts, and codes stored four at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.lanes import conv as lanes_conv
from edgeternary.c.lanes.after import fields, halves
from edgeternary.c.lanes.after.halves import Halves
from edgeternary.c.layouts import NATURAL, Lanes
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.ir import Graph, IntArray, Value
from edgeternary.ops import Add, Conv2d, build
from edgeternary.ops.threshold import Threshold
from edgeternary.run.cortex_m import run_plan
from edgeternary.run.numpy import run as reference
from tests.c.harness import Program
from tests.c.lanes_nets import conv
from tests.c.plan_fleet import PlanFleet
from tests.full import pairs
from tests.need import need

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4")
ROWS, WIDTH = 5, 3
# terms of a sum whose codes span 3, 2 or 1, at and beyond: one comparison, one lane, two lanes
TERMS = {
    "uint2": (1, 42, 43, 84, 85, 86, 120, 168, 169, 170),
    "ternary": (2, 63, 64, 126, 127, 128, 200, 253, 254, 255),
    "bipolar": (3, 126, 127, 128, 254, 255, 256, 400, 507, 508),
}
OUTS = {"uint2": (4, 8, 12), "ternary": (4, 7, 16), "bipolar": (8, 9, 12)}


def edge_cases(
    type: str, terms: int, outs: int, follow: str, shape: tuple[int, int] = (ROWS, WIDTH)
) -> Graph:
    """A pointwise convolution of sums of about `terms` terms, and thresholds all over their interval."""
    rng = np.random.default_rng(terms * outs)
    x = build.value("x", (*shape, terms), type)
    weights = rng.choice(np.array([-1, 1], np.int8), (outs, 1, 1, terms))
    weights[0], weights[1] = 1, -1
    weights[2:, 0, 0, : terms // 8] *= rng.integers(0, 2, (outs - 2, terms // 8), dtype=np.int8)
    op = Conv2d(
        name="c", inputs=("x",), weights=weights, weight_type="ternary",
        bias=rng.integers(-9, 9, outs).astype(np.int32),
    )  # fmt: skip
    return build.graph(x, op, thresholds(rng, op.infer([x]), op, x, follow))


def thresholds(rng: np.random.Generator, acc: Value, op: Conv2d, x: Value, follow: str) -> Threshold:
    """Close to the ends of each channel's interval, in the middle, unreachable, an odd or even way apart."""
    levels = {"bipolar": 1, "ternary": 2, "uint2": 3}[follow]
    outs, signs = len(op.bias), op.weights.reshape(len(op.bias), -1).astype(int)
    ends = np.where(signs > 0, x.hi, x.lo) * signs, np.where(signs > 0, x.lo, x.hi) * signs
    high, low = (end.sum(axis=1)[:, None] + op.bias[:, None] for end in ends)
    near = [low + rng.integers(-1, 3, (outs, levels)), high + rng.integers(-1, 3, (outs, levels))]
    near += [(low + high) // 2 + rng.integers(-3, 4, (outs, levels))] * 3
    t = np.choose(rng.integers(0, len(near), (outs, levels)), near)
    t[0] = low[0] + np.arange(levels) * (high[0] + 1 - low[0]) // max(levels - 1, 1)  # never, always
    t = np.sort(t.clip(acc.lo, acc.hi + 1), axis=1).astype(np.int32)
    falls = rng.integers(0, 2, outs).astype(bool)
    base, top = {"bipolar": (-1, 1), "ternary": (-1, 1), "uint2": (0, 3)}[follow]
    step = np.where(falls, -1, 1) * (2 if follow == "bipolar" else 1)
    return Threshold(
        name="act", inputs=("c",), t=t, base=np.where(falls, top, base).astype(np.int32),
        step=step.astype(np.int32), type=follow,
    )  # fmt: skip


def inputs(graph: Graph) -> IntArray:
    """For each pixel, what makes some output largest or smallest, a random part of it turned round."""
    rng = np.random.default_rng(7)
    x, op = graph.input, graph.ops[0]
    assert isinstance(op, Conv2d)
    signs = op.weights.reshape(len(op.bias), -1)
    shape = (4, *x.shape)
    wanted = signs[rng.integers(0, len(signs), shape[:-1])] * rng.choice([-1, 1], (*shape[:-1], 1))
    turned = rng.random(shape) < rng.choice([0, 0.02, 0.3, 0.5], (*shape[:-1], 1))
    found = np.where((wanted > 0) ^ turned, x.hi, x.lo).astype(np.int32)
    return np.concatenate([found, build.samples(rng, x, 4)])


def on_lanes(graph: Graph, core: str, direct: bool = False) -> Plan:
    """The plan whose convolutions run on 4 lanes of 8 bits, `act` with the first; `direct` keeps it there."""

    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        if not match.ops or match.ops[0].kind != "conv2d":
            return True
        layout = offer.ins[0]
        if match.ops[0].name == "c" and direct == (offer.out == NATURAL):
            return False
        return kernel.name == "conv2d_lanes" and isinstance(layout, Lanes) and layout.lanes == 4

    return select(graph, core, allow=allow)


def followed_by_lanes(graph: Graph) -> Graph:
    """With one more convolution, so that the result of the first may stay in lanes."""
    act = graph.output_value
    after = conv(np.random.default_rng(3), "act", act.shape, 2, "next", kernel=1)
    return build.graph(graph.input, *graph.ops, after)


def check_on_core(plan: Plan, compiler: str = "auto") -> None:
    codes = inputs(plan.graph)
    found = run_plan(plan, codes, options={"count": 0, "compiler": compiler}).outputs
    np.testing.assert_array_equal(found, reference(plan.graph, codes).outputs)


def cases(type: str) -> list[Graph]:
    """All follow-ups, in turn."""
    found = []
    for number, terms in enumerate(TERMS[type]):
        follow = ("ternary", "uint2", "bipolar")[number % 3]
        found.append(edge_cases(type, terms, OUTS[type][number % 2], follow))
        found.append(edge_cases(type, terms, OUTS[type][2], ("uint2", "ternary")[number % 2]))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("type", "core"), pairs(list(TERMS), CORES))
def test_c_at_the_limits(type: str, core: str, tmp_path: Path) -> None:
    """The C of each core, sums and codes, under sanitizers."""
    need("gcc")
    graphs = cases(type)[CORES.index(core) :: 3]
    plans = [on_lanes(graph, core) for graph in graphs]
    plans.append(on_lanes(followed_by_lanes(graphs[-1]), core, direct=True))
    Program(plans, tmp_path).check(inputs)


@pytest.mark.emulator
@pytest.mark.parametrize(("type", "core"), pairs(list(TERMS), CORES[1:] + CORES[:1]))
def test_assembly_at_the_limits(type: str, core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    graphs = cases(type)[CORES.index(core) :: 3]
    plans = [on_lanes(graph, core) for graph in graphs]
    plans += [on_lanes(followed_by_lanes(graph), core, direct=True) for graph in graphs[::3]]
    PlanFleet.of_plans(plans).check(core)


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
def test_thresholds_half_a_lane_apart(core: str) -> None:
    """A sum of 0..127 with one threshold always reached and one never: 128 apart, yet in one lane."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    check_on_core(on_lanes(edge_cases("bipolar", 127, 8, "ternary"), core))


@pytest.mark.emulator
def test_sums_of_two_parts_are_halved() -> None:
    """What 8 bits cannot hold, two parts can, and beyond that no longer."""
    for terms, kind in [(127, "count"), (128, "halves"), (253, "halves"), (300, "sums")]:
        text = "".join(plan_text(on_lanes(edge_cases("ternary", terms, 8, "ternary"), "cortex-m0plus")))
        assert ("b0 ^= a0" in text) == (kind == "halves"), terms
        assert ("window" in text) == (kind == "sums"), terms


def plan_text(plan: Plan) -> list[str]:
    from edgeternary.c.render import render_plan

    return list(render_plan(plan).values())


@pytest.mark.emulator
@pytest.mark.parametrize("type", ["ternary", "uint2", "bipolar", "int8"])
def test_addresses_that_are_no_multiples_of_4(type: str) -> None:
    """Input and output anywhere: words are taken apart where they cannot be loaded or stored at once."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    from edgeternary.run._bench import elements
    from edgeternary.run._emulator.image import link
    from edgeternary.run._emulator.machine import Machine
    from edgeternary.run._model import of_plan

    graph = edge_cases(type if type != "int8" else "ternary", 20, 12, "ternary", (8, 4))
    plan = on_lanes(graph, "cortex-m0plus")
    image = link(of_plan(plan), "cortex-m0plus")
    machine = Machine(image.elf, "cortex-m0plus", image.regions)
    run, model = (image.elf.address(name) for name in (f"{image.model.prefix}_run", "bench_model"))
    codes = inputs(graph)[0]
    right = elements(graph.output_value, reference(graph, codes[None]).outputs)
    free = image.regions.ram.origin + image.regions.ram.bytes // 2
    for x, y in [(0, 0), (0, 1), (1, 0), (2, 2), (3, 3), (0, 2), (0, 3)]:
        machine.write(free + x, elements(graph.input, codes))
        machine.write(free + 0x1000, b"\xa5" * (len(right) + 8))
        machine.call(run, model, free + x, free + 0x1000 + y)
        found = machine.read(free + 0x1000, len(right) + 8)
        assert found == b"\xa5" * y + right + b"\xa5" * (8 - y), (x, y)


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_one_value_in_two_layouts(core: str) -> None:
    """Two functions pack the same input, each with a routine of its own."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    rng = np.random.default_rng(2)
    x = build.value("x", (8, 8, 4), "ternary")
    wide, narrow = (conv(rng, "x", x.shape, 4, name, kernel=k) for name, k in (("wide", 5), ("narrow", 1)))
    graph = build.graph(x, wide, narrow, Add(name="sum", inputs=("wide", "narrow")))

    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        layout, name = offer.ins[0], match.ops[0].name if match.ops else ""
        tops = {"wide": 2, "narrow": 0}
        return name not in tops or (isinstance(layout, Lanes) and layout.top == tops[name])

    plan = select(graph, core, allow=allow)
    assert [step.kernel.name for step in plan.steps].count("pack_lanes") == 2
    codes = build.samples(rng, x, 6)
    found = run_plan(plan, codes, options={"count": 0}).outputs
    np.testing.assert_array_equal(found, reference(graph, codes).outputs)


ODDS, TABLE, INSERT = Halves.odds, fields.table, fields.insert


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        (Halves, "odds", lambda *given: [False] * len(ODDS(*given))),
        (halves, "_easy", lambda t, low, high, most: low + most + 1 - t[:, 0] >= t.max(axis=1) - t[:, 0]),
        (fields, "table", lambda *given: TABLE(*given)[_swapped_bits()]),
        (fields, "insert", lambda *given: (line for line in INSERT(*given) if not line.startswith("eors"))),
    ],
)
def test_faults_are_caught(
    owner: object, name: str, fault: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    graphs = [edge_cases("ternary", 200, 12, follow) for follow in ("ternary", "uint2")]
    for graph in graphs:
        check_on_core(on_lanes(graph, "cortex-m0plus"))
    monkeypatch.setattr(owner, name, fault)
    lanes_conv.sums.cache_clear()
    with pytest.raises(AssertionError):
        for graph in graphs:
            check_on_core(on_lanes(graph, "cortex-m0plus"))
    monkeypatch.undo()
    lanes_conv.sums.cache_clear()


def _swapped_bits() -> IntArray:
    """Every byte with the two bits of each channel exchanged."""
    index = np.arange(256)
    return (index >> 1 & 0x55 | index << 1 & 0xAA).astype(np.int32)
