"""Vector registers: every way to run a layer on a Cortex-M55, in QEMU and as C under sanitizers.

The plans of a test take turns: each runs in QEMU out of one of the two compilers, and every other one as C.
EDGETERNARY_FULL=1 takes both compilers for every plan, and all plans as C.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.lanes import helium, text_helium
from edgeternary.c.layouts import Lanes
from edgeternary.c.plan import Plan
from edgeternary.c.products import vectors
from edgeternary.c.select import select
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph, parse
from edgeternary.ops import Conv2d, Dense, build
from edgeternary.run._model import of_plan
from tests.c.graphs import Net, dense, followed
from tests.c.harness import check
from tests.c.lanes_nets import nets
from tests.c.plan_fleet import PlanFleet
from tests.c.test_lanes_digits import LAYERS, layer, on_lanes
from tests.need import need

CORE = "cortex-m55"
FULL = bool(os.environ.get("EDGETERNARY_FULL"))
COMPILERS = ("gcc", pytest.param("zig", marks=pytest.mark.emulator))
TOOLS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}
LANES = "conv2d_lanes"
VECTORS = {"dense_vectors", "conv2d_vectors", "depthwise_vectors"}
WEIGHTS = ("ternary", "bipolar", "int2", "int3", "int4", "int5", "int8")
FOLLOWS = ("A", "B", "uint4", "ternary", "bipolar", "C", "int3", "uint2", "tflite_double")
# height, width, channels; outputs, kernel, stride, pad (top, left, bottom, right)
CONVS = (
    ((2, 1, 1), 1, (1, 1), (1, 1), (0, 0, 0, 0)),
    ((4, 3, 2), 7, (3, 3), (1, 1), (1, 1, 1, 1)),
    ((9, 5, 3), 13, (3, 3), (2, 2), (1, 1, 1, 1)),
    ((7, 11, 5), 6, (2, 3), (1, 2), (0, 2, 1, 0)),
    ((8, 4, 17), 5, (1, 1), (1, 1), (0, 0, 0, 0)),
    ((1, 19, 3), 12, (1, 5), (1, 1), (0, 2, 0, 2)),
    ((5, 6, 40), 3, (3, 3), (1, 1), (1, 1, 1, 1)),
)
DENSE = ((1, 1), (5, 3), (16, 4), (31, 7), (33, 13), (64, 8))


def convolutions(weights: str, seed: int) -> Iterator[Graph]:
    """Odd shapes, types and epilogues in turn."""
    types = ("int8", "ternary", "uint2", "bipolar", "uint7", "uint8", "int11")
    for i, (shape, outputs, kernel, stride, pad) in enumerate(CONVS):
        rng = np.random.default_rng(seed + i)
        x = build.value("x", shape, types[(i + seed) % (5 if weights == "ternary" else 7)])
        op = Conv2d(
            name="c", inputs=("x",), weights=build.codes(rng, (outputs, *kernel, shape[2]), weights),
            weight_type=weights, bias=rng.integers(-50, 50, outputs).astype(np.int32), stride=stride, pad=pad,
            pad_value=x.type.lo if any(pad) else 0,
        )  # fmt: skip
        yield followed(build.graph(x, op), FOLLOWS[(i + seed) % len(FOLLOWS)], rng)


def denses(weights: str, seed: int) -> Iterator[Graph]:
    types = ("int8", "uint8", "int11", "uint4", "bipolar", "uint12")
    for i, (inputs, outputs) in enumerate((*DENSE, DENSE[-1])):
        rng = np.random.default_rng(seed + i)
        x = build.value("x", (inputs,), types[(i + seed) % len(types)])
        op = Dense(
            name="d", inputs=("x",), weights=build.codes(rng, (outputs, inputs), weights),
            weight_type=weights, bias=rng.integers(-50, 50, outputs).astype(np.int32),
        )  # fmt: skip
        yield followed(build.graph(x, op), FOLLOWS[(i + seed) % len(FOLLOWS)], rng)


def depthwises(weights: str, seed: int) -> Iterator[Graph]:
    """Channels that are no multiple of 16; sums of 16 and of 32 bits."""
    types = ("int8", "uint8", "ternary", "uint4")
    shapes = (((5, 4, 16), (3, 3), (1, 1), (1, 1, 1, 1)), ((6, 7, 37), (2, 5), (2, 1), (0, 2, 1, 3)),
              ((3, 3, 50), (3, 1), (1, 1), (0, 0, 0, 0)))  # fmt: skip
    for i, (shape, kernel, stride, pad) in enumerate(shapes):
        rng = np.random.default_rng(seed + i)
        x = build.value("x", shape, types[(i + seed) % len(types)])
        op = Conv2d(
            name="c", inputs=("x",), weights=build.codes(rng, (shape[2], *kernel, 1), weights),
            weight_type=weights, bias=rng.integers(-50, 50, shape[2]).astype(np.int32), stride=stride,
            pad=pad, pad_value=x.type.hi if any(pad) else 0, groups=shape[2],
        )  # fmt: skip
        yield followed(build.graph(x, op), FOLLOWS[(i + seed) % len(FOLLOWS)], rng)


def forced(graph: Graph, kernel: str) -> Plan | None:
    """The plan whose first layer runs on `kernel`, if that offers to."""
    found = [False]

    def allow(match: Match, candidate: Kernel, offer: Offer) -> bool:
        found[0] |= candidate.name == kernel
        return match.ops[0] is not graph.ops[0] or candidate.name == kernel

    try:
        return select(graph, CORE, allow=allow)
    except Exception:
        assert not found[0]
        return None


def some_lane_plans() -> list[Plan]:
    """Made again at each call."""
    graphs = (graph for seed in range(2) for graph in convolutions("ternary", seed))
    return [plan for graph in graphs if (plan := forced(graph, LANES))]


@cache
def lane_plans() -> list[Plan]:
    graphs = [graph for seed in range(3) for graph in convolutions("ternary", seed)]
    graphs += [graph for seed in range(2) for graph in convolutions("bipolar", seed)]
    plans = [plan for graph in graphs if (plan := forced(graph, LANES))]
    assert len(plans) > len(graphs) * 2 // 3
    text = "".join(text for plan in plans for text in of_plan(plan).sources.values())
    assert "sums and differences of two outputs" in text
    return plans


@cache
def integer_plans() -> list[Plan]:
    made: list[Plan] = []
    for seed, weights in enumerate(("int8", "int4", "int3")):
        made += [select(graph, CORE) for graph in convolutions(weights, seed)]
        made += [select(graph, CORE) for graph in denses(weights, seed)]
    kernels = {step.kernel.name for plan in made for step in plan.steps}
    assert {"conv2d_int", "dense_int"} <= kernels
    return made


@cache
def vector_plans() -> list[Plan]:
    """Weights of every type, in some layers a row of the lowest codes and one of the highest."""
    made: list[Plan | None] = []
    for seed, weights in enumerate(WEIGHTS):
        graphs = (*convolutions(weights, seed), *denses(weights, seed), *depthwises(weights, seed))
        for number, graph in enumerate(graphs):
            op, type = graph.ops[0], parse(weights)
            assert isinstance(op, Conv2d | Dense)
            if (number + seed) % 3 == 0 and len(op.bias) > 2:
                codes = op.weights.copy()
                codes[0], codes[-1] = type.hi, type.lo
                graph = build.graph(graph.inputs[0], msgspec.structs.replace(op, weights=codes))
            if (number + seed) % 3 < 2:
                groups = getattr(op, "groups", 1)
                made.append(forced(graph, f"{'depthwise' if groups > 1 else op.kind}_vectors"))
    plans = [plan for plan in made if plan]
    assert len(plans) > 40 and {plan.steps[0].kernel.name for plan in plans} == VECTORS
    notes = {
        table.comment for plan in plans for table in plan.steps[0].body.tables if table.name == "weights"
    }
    assert notes >= {way.note for way in (vectors.BYTES, vectors.NIBBLES, vectors.PAIRS, vectors.QUADS)}
    routines = {str(plan.steps[0].body.fields.get("routine", "")) for plan in plans}
    assert routines == {"", "vtaps16", "vtaps32s", "vtaps32u"}
    return plans


@cache
def net_plans() -> list[Plan]:
    """Values that stay on lanes between layers."""
    return [select(graph, CORE, goal) for graph in nets() for goal in ("cycles", "ram")]


@cache
def table_plans() -> list[Plan]:
    """Few and many outputs, rests of inputs and of outputs, inputs for which four entries are too large."""
    found = []
    for seed, (inputs, outputs) in enumerate(((5, 1), (20, 8), (47, 11), (64, 24), (203, 37))):
        for weights, type in (("ternary", "int8"), ("bipolar", "uint8"), ("ternary", "int11")):
            rng = np.random.default_rng(seed)
            x = build.value("x", (inputs,), type)
            graph = build.graph(x, dense(rng, x, outputs, weights, "d"))
            follow = FOLLOWS[seed % len(FOLLOWS)]
            plans = [forced(graph, "dense_tables"), forced(followed(graph, follow, rng), "dense_tables")]
            found += [plan for plan in plans if plan]
    assert len(found) == 30
    return found


@cache
def digit_plans() -> list[Plan]:
    """Weights of several digits: products, shifted words, sums in stages."""
    followers = [(number, "shift") for number in range(len(LAYERS))] + [(2, "sums"), (5, "sums")]
    plans = [plan for number, follow in followers for plan in on_lanes(layer(number, follow), CORE)]
    text = "".join(text for plan in plans for text in of_plan(plan).sources.values())
    assert all(name in text for name in ("vmla.i16", "vshl.i16", "movw r5", "stage 1", "stage 2"))
    return plans


@cache
def halves_plans() -> list[Plan]:
    """Sums of two parts, compared by halves; results in natural layout, and on lanes for a next layer."""
    plans = []
    for i, (type, channels) in enumerate((("ternary", 40), ("uint2", 20), ("bipolar", 31))):
        net = Net("halves", build.value("x", (8, 5, channels), type), np.random.default_rng(i))
        net.conv(9, "ternary", "first").threshold(("ternary", "bipolar", "uint2")[i], "act")
        found = on_lanes(net.graph(), CORE)
        whole = net.conv(5, "ternary", "second").threshold("ternary", "end").graph()
        found.append(select(whole, CORE, allow=lanes_between))
        plans += [plan for plan in found if halved(plan)]
    stores = {str(halved(plan)) for plan in plans}
    assert stores >= {"bytes", "direct"}
    return plans


def lanes_between(match: Match, kernel: Kernel, offer: Offer) -> bool:
    """The first layer leaves lanes."""
    return match.ops[0].name != "first" or isinstance(offer.out, Lanes)


def halved(plan: Plan) -> object:
    """How the results of the first layer are stored, if it compares halves."""
    for step in plan.steps:
        if step.kernel.name == LANES and step.layer == "first":
            fields = step.body.fields
            return fields["after"].kind == "halves" and fields["store"]  # type: ignore[attr-defined]
    return None


def share(plans: list[Plan], part: slice) -> list[Plan]:
    """Part of the plans in an order that is drawn; with EDGETERNARY_FULL=1 all of them."""
    order = np.random.default_rng(0).permutation(len(plans))
    return plans if FULL else [plans[k] for k in order[part]]


PLANS = (digit_plans, halves_plans, lane_plans, integer_plans, vector_plans, net_plans, table_plans)


@pytest.mark.system
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("plans", PLANS)
def test_in_qemu(plans: Callable[[], list[Plan]], compiler: str) -> None:
    need(TOOLS[compiler], "qemu-system-arm")
    part = slice(sorted(TOOLS).index(compiler), None, 4)
    PlanFleet.of_plans(share(plans(), part), seed=3).check(CORE, compiler=compiler)


@pytest.mark.slow
@pytest.mark.parametrize("plans", PLANS)
def test_the_c_in_place_of_assembly(plans: Callable[[], list[Plan]], tmp_path: Path) -> None:
    need("gcc")
    check(share(plans(), slice(2, None, 4) if len(plans()) > 2 else slice(None)), tmp_path)


@pytest.mark.slow
def test_no_multiplication_in_form_a() -> None:
    """Neither in ternary convolutions, requantized by a shift or counted, nor in dense layers from tables."""
    plans = [plan for plan in lane_plans() if np.abs(getattr(plan.graph.ops[1], "m", 0)).max() <= 1]
    plans += [plan for plan in table_plans() if len(plan.graph.ops) == 1]
    assert len(plans) > 15
    for plan in plans:
        text = "".join(of_plan(plan).sources.values())
        assert "vadd.i" in text and not re.search(r"\b(v?mul|v?mla\w*|mls|sml\w+|[su]mull)\b", text)


@pytest.mark.system
def test_bytes_that_lie_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs above 64 KiB, as if every output was."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    monkeypatch.setattr(text_helium, "HALF", 0)
    PlanFleet.of_plans(some_lane_plans(), seed=4).check(CORE, compiler="gcc")


ADDITIONS, STEP = helium._additions, helium._step


@pytest.mark.system
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("_additions", lambda *given: (line.replace("vsub", "vadd") for line in ADDITIONS(*given))),
        ("_step", lambda walk, outputs, *more: STEP(walk, outputs if more else helium.WIDTH, *more)),
    ],
)
def test_a_fault_is_seen(name: str, fault: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong sign, and a last turn in the wrong place."""
    need("arm-none-eabi-gcc", "qemu-system-arm")
    monkeypatch.setattr(helium, name, fault)
    with pytest.raises((AssertionError, EdgeTernaryError), match=r"differs from numpy|fault at"):
        PlanFleet.of_plans(some_lane_plans(), seed=3).check(CORE, compiler="gcc")
