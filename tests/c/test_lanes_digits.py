"""Integer weights on lanes: digits, sums in stages that lose bits on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.explain import explain
from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.lanes import digits, program, stages
from edgeternary.c.lanes.after.base import Reach
from edgeternary.c.lanes.after.wide import Wide
from edgeternary.c.lanes.program import Group, Registers
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.ir import Graph, IntArray, parse
from edgeternary.ops import Conv2d, Requantize, build
from edgeternary.run.cortex_m import run_plan
from edgeternary.run.numpy import run as reference
from tests.c.harness import Program
from tests.c.plan_fleet import PlanFleet
from tests.c.test_lanes_bytes import check_anywhere
from tests.full import FULL
from tests.need import need

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4")
# weights, input, shape, outputs, kernel, stride, groups, output: sums in one to four stages
LAYERS = [
    ("int2", "int8", (5, 4, 3), 5, 3, 1, 1, "int8"),
    ("int3", "uint8", (1, 9, 7), 6, 3, 2, 1, "int8"),
    ("int4", "int8", (11, 2, 71), 11, 1, 1, 1, "uint8"),
    ("int5", "uint4", (7, 5, 6), 9, 3, 1, 1, "int6"),
    ("int6", "int8", (5, 6, 8), 8, 3, 1, 8, "int8"),
    ("int8", "int8", (7, 3, 17), 10, 1, 1, 1, "int8"),
    ("int8", "uint8", (4, 5, 6), 12, 3, 2, 2, "int8"),
    ("int8", "bipolar", (4, 3, 9), 7, 3, 1, 1, "int8"),
    ("int8", "int8", (4, 3, 17), 6, 3, 1, 1, "int8"),
]


def layer(number: int, follow: str = "shift") -> Graph:
    """The first output has the lowest weights alone, the second one the highest; shifts of all sizes."""
    weights, type, shape, outs, size, stride, groups, out = LAYERS[number]
    rng = np.random.default_rng(number)
    x, made = build.value("x", shape, type), parse(out)
    kernel = (1, size) if shape[0] == 1 else (size, size)
    codes = build.codes(rng, (outs, *kernel, shape[2] // groups), weights)
    codes[0], codes[1] = parse(weights).lo, parse(weights).hi
    pad = (size // 2, size // 2, size // 2, size - 1 - size // 2)
    op = Conv2d(
        name="c", inputs=("x",), weights=codes, weight_type=weights, groups=groups,
        stride=(1 if shape[0] == 1 else stride, stride), bias=rng.integers(-50, 50, outs).astype(np.int32),
        pad=(0, pad[1], 0, pad[3]) if shape[0] == 1 else pad,
        pad_value=1 if type == "bipolar" else x.type.hi // 3,
    )  # fmt: skip
    if follow == "sums":
        return build.graph(x, op)
    acc = op.infer([x])
    flat = np.abs(codes.reshape(outs, -1).astype(np.int64)).sum(axis=1) * max(abs(x.lo), abs(x.hi))
    s = np.maximum(np.ceil(np.log2(np.maximum(flat / (made.hi - made.lo + 1), 1))), 0) + rng.integers(
        0, 3, outs
    )
    m = np.where(rng.integers(0, 4, outs) == 0, -1, 1)
    if follow == "product":
        m = rng.integers(-1, 2, outs) * rng.integers(1, min(2**15, 2**30 // flat.max()), outs)
        s = np.maximum(s + np.floor(np.log2(np.maximum(np.abs(m), 1))), 0)
    elif follow != "shift":
        m = rng.integers(2**30 - 2**29 * (follow == "long"), 2**31, outs) * (
            m if follow == "long" and number % 2 == 0 else 1
        )
        s = s + 31
    long = follow in ("long", "twice")
    b = (0 if long else (made.lo + made.hi) // 2 << s.astype(np.int64)) + rng.integers(-99, 99, outs)
    act = Requantize(
        name="act", inputs=("c",), m=m.astype(np.int32), b=(b * (follow != "twice")).astype(np.int32),
        s=s.astype(np.int32), zero=(made.lo + made.hi) // 2 * long, lo=made.lo, hi=made.hi,
        rounding="tflite_double" if follow == "twice" else "half_up", type=out,
    )  # fmt: skip
    assert act.form(acc) == {"shift": "A", "product": "B"}.get(follow, "C")
    return build.graph(x, op, act)


def inputs(graph: Graph) -> IntArray:
    """Random codes and their ends; of a window of one pixel those that make sums the largest and smallest."""
    codes = build.samples(np.random.default_rng(4), graph.input, 5)
    op = graph.ops[0]
    if not isinstance(op, Conv2d) or op.kernel != (1, 1):
        return codes
    lo, hi = graph.input.lo, graph.input.hi
    ends = [np.where(op.weights[:, 0, 0] * sign > 0, hi, lo) for sign in (1, -1)]
    pixels = np.concatenate(ends)[: graph.input.shape[0] * graph.input.shape[1]]
    extreme = codes[2].reshape(-1, graph.input.shape[2]).copy()
    extreme[: len(pixels)] = pixels
    return np.concatenate([codes, extreme.reshape(1, *graph.input.shape)])


def on_lanes(graph: Graph, core: str) -> list[Plan]:
    """Plans that run all of a layer on lanes, one for each pair of layouts."""
    found: dict[tuple[object, ...], None] = {}

    def key(match: Match, kernel: Kernel, offer: Offer) -> tuple[object, ...] | None:
        whole = kernel.name == "conv2d_lanes" and len(match.ops) == len(graph.ops)
        return (offer.ins, offer.out) if whole else None

    def note(match: Match, kernel: Kernel, offer: Offer) -> bool:
        if wanted := key(match, kernel, offer):
            found[wanted] = None
        return True

    select(graph, core, allow=note)
    return [select(graph, core, allow=lambda m, k, o, one=one: key(m, k, o) == one) for one in found]


def kind(plan: Plan) -> str:
    """What follows the sums, with the number of parts that wait for the last one."""
    step = next(step for step in plan.steps if step.kernel.name == "conv2d_lanes")
    name = step.body.fields["after"].kind  # type: ignore[attr-defined]
    waiting = sum(line.startswith("const uint32_t p") for line in step.body.fields["groups"][0]["c"])  # type: ignore[index]
    return f"{name} {waiting}"


def cuts(plan: Plan) -> int:
    """Steps between stages of the first group, in its C."""
    step = next(step for step in plan.steps if step.kernel.name == "conv2d_lanes")
    return sum("a0 = (a0 >>" in line and "+ k[" in line for line in step.body.fields["groups"][0]["c"])  # type: ignore[index]


@pytest.mark.parametrize("bits", range(2, 9))
def test_digits_are_sums_of_few_powers_of_two(bits: int) -> None:
    weights = np.arange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    planes = digits.planes(weights)
    np.testing.assert_array_equal((planes << np.arange(len(planes))[:, None]).sum(axis=0), weights)
    assert not (planes[:-1] * planes[1:]).any()
    for window, odd in ((digits.PLAIN, {1}), (digits.TRIPLE, {1, 3})):
        entry, found = digits.expanded(weights, window)
        np.testing.assert_array_equal(np.bincount(entry, found, len(weights)), weights)
        assert {digits.split(digit)[0] for digit in found.tolist()} <= odd
        assert all(n << k == abs(d) for d in found.tolist() for n, k in [digits.split(d)])
    assert len(found) <= np.count_nonzero(planes)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_the_c_in_place_of_assembly(core: str, tmp_path: Path) -> None:
    """The C of each core, under sanitizers; plain sums too. M3 has every second layer, others the rest."""
    need("gcc")
    numbers = range(len(LAYERS)) if FULL else range(core == CORES[1], len(LAYERS), 2)
    plans = [plan for number in numbers for plan in on_lanes(layer(number), core)]
    assert {cuts(plan) for plan in plans} >= ({0, 1, 2} if FULL or core != CORES[1] else {0, 1})
    wide = [
        plan for number in range(1, len(LAYERS)) for plan in on_lanes(layer(number, "product"), core)[::2]
    ]
    assert {kind(plan) for plan in wide} >= {"scale 0", "wide 1", "wide 2"}
    for number in (3, 5, 6):
        wide += [plan for follow in ("long", "twice") for plan in on_lanes(layer(number, follow), core)[:1]]
    plans += [*wide, *(plan for number in (0, 5) for plan in on_lanes(layer(number, "sums"), core))]
    Program(plans, tmp_path).check(inputs)


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
def test_assembly(core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    chosen = on_lanes(layer(5, "sums"), core)[:1]
    for number in range(len(LAYERS)):
        follows = ("shift", "product", ("long", "twice")[number % 2])
        for turn, follow in enumerate(follows):
            if (number + turn) % len(CORES) == CORES.index(core) and not FULL:
                continue  # the other two cores have it
            plans = on_lanes(layer(number, follow), core)
            chosen.append(plans[number % len(plans)])
    PlanFleet.of_codes(chosen, [inputs(plan.graph) for plan in chosen]).check(core)


def check_on_core(plan: Plan) -> None:
    codes = inputs(plan.graph)
    found = run_plan(plan, codes, options={"count": 0, "compiler": "auto"}).outputs
    np.testing.assert_array_equal(found, reference(plan.graph, codes).outputs)


@pytest.mark.emulator
@pytest.mark.parametrize(("number", "follow"), [(2, "shift"), (5, "product"), (5, "twice"), (6, "shift")])
def test_nothing_else_is_written(number: int, follow: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    check_anywhere(on_lanes(layer(number, follow), "cortex-m0plus")[0])


def test_words_are_tripled_where_that_saves_additions() -> None:
    """Two weights of 3 and 6 save two additions for one; a weight alone saves none."""
    rows, two = [np.array([0, 1]), np.array([0])], Registers(8, 5, triples=True)
    found = program.terms(rows, [np.array([3, 3]), np.array([-6])], two)
    assert found == [(0, [(0, 3), (1, -6)]), (1, [(0, -1), (0, 4)])]
    plain = program.terms(rows, [np.array([3, 3]), np.array([-6])], Registers(8, 5))
    assert plain[0] == (0, [(0, -1), (0, 4), (1, 2), (1, -8)])


def test_why_there_is_no_offer() -> None:
    """`explain` says it."""
    graph = layer(0, "sums")
    wide = build.graph(build.value("x", graph.input.shape, "int16"), *graph.ops)
    (row,) = [row for row in explain(wide, "cortex-m4") if row.kernel == "conv2d_lanes"]
    assert row.cycles is None and "16 bits leave no room" in row.verdict


MASK = stages._mask


def _all_at_the_end(group: Group, last: Sequence[int]) -> list[list[int]]:
    """What a stage has left of its start is added once more."""
    return [*(list(cut.start) for cut in group.cuts), list(last)]


def _from_zero(after: Wide, group: Group, reach: Reach) -> list[int]:
    return [0] * group.size * len(group.parts)


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("core", "follow", "owner", "name", "fault"),
    [
        *((core, "shift", stages, "starts", _all_at_the_end) for core in CORES),
        *((core, "shift", stages, "_mask", lambda drop, walk: MASK(drop, walk) >> 1) for core in CORES[1:]),
        *((core, "product", Wide, "starts", _from_zero) for core in CORES),
    ],
)
def test_faults_are_caught(
    core: str,
    follow: str,
    owner: object,
    name: str,
    fault: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    monkeypatch.setattr(owner, name, fault)
    plan = on_lanes(layer(5, follow), core)[0]
    assert cuts(plan) or kind(plan) == "wide 1"
    with pytest.raises(AssertionError, match="Arrays are not equal"):
        check_on_core(plan)
