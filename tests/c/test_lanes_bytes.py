"""Lanes to bytes of natural layout: clamped or not, four channels at once, parts along the width."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.lanes import conv as lanes_conv
from edgeternary.c.lanes import pack1 as lanes_pack1
from edgeternary.c.lanes import segments as lanes_segments
from edgeternary.c.lanes.after import Case, transpose2
from edgeternary.c.lanes.after.natural import Bytes
from edgeternary.c.lanes.segments import Rows
from edgeternary.c.lanes.window import Window
from edgeternary.c.layouts import NATURAL, Layout, Stripes, Words
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.ir import Graph, IntArray, Value, parse
from edgeternary.ops import Conv2d, Requantize, build
from edgeternary.run._bench import elements
from edgeternary.run._emulator.image import link
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._model import of_plan
from edgeternary.run.cortex_m import run_plan
from edgeternary.run.numpy import run as reference
from tests.c.harness import Program
from tests.c.lanes_nets import conv
from tests.c.plan_fleet import PlanFleet
from tests.c.test_lanes_narrow import edge_cases
from tests.full import FULL
from tests.need import need

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4")
# height, width, channels, outputs, kernel, stride: rows and outputs of every remainder
SHAPES = [
    (5, 6, 3, 4, 3, 1),
    (3, 9, 5, 11, 3, 2),
    (7, 5, 4, 9, 1, 1),
    (2, 13, 7, 6, 3, 1),
    (9, 4, 8, 18, 1, 1),
    (4, 21, 1, 7, 5, 2),
]


def requantized(shape: tuple[int, ...], type: str, out: str, spread: int) -> Graph:
    """A convolution, and in form A channels that are never, sometimes and always clamped."""
    height, width, channels, outs, kernel, stride = shape
    rng = np.random.default_rng(sum(shape) + spread)
    x = build.value("x", (height, width, channels), type)
    op = conv(rng, "x", x.shape, outs, "c", stride, kernel)
    acc, made = op.infer([x]), parse(out)
    reach = np.maximum(np.abs([acc.lo, acc.hi]).max() // (made.hi - made.lo + 1), 1)
    s = np.clip(np.ceil(np.log2(reach)) + rng.integers(-(spread // 2), 2, outs), 0, 9).astype(np.int32)
    s[1] = np.maximum(s[1] - 1, 0)  # the ends of this one are clamped
    b = ((made.lo + made.hi) // 2 << s) + rng.integers(-spread * 30, spread * 30 + 1, outs)
    b[0], b[-1] = acc.lo * 3, acc.hi * 3  # always below, always above
    quantize = Requantize(
        name="act", inputs=("c",), m=rng.choice([1, 1, -1], outs).astype(np.int32), b=b.astype(np.int32), s=s,
        zero=0, lo=made.lo, hi=made.hi, rounding="half_up", type=out,
    )  # fmt: skip
    return build.graph(x, op, quantize)


def to_bytes(graph: Graph, core: str) -> list[Plan]:
    """Plans of a convolution on lanes, in each layout of its input, to natural layout."""
    layouts: dict[Layout, None] = {}

    def note(match: Match, kernel: Kernel, offer: Offer) -> bool:
        if kernel.name == "conv2d_lanes" and offer.out == NATURAL and len(match.ops) == 2:
            layouts[offer.ins[0]] = None
        return True

    select(graph, core, allow=note)
    plans = []
    for layout in layouts:

        def only(match: Match, kernel: Kernel, offer: Offer, layout: Layout = layout) -> bool:
            wanted = kernel.name == "conv2d_lanes" and offer.out == NATURAL and len(match.ops) == 2
            return wanted and offer.ins[0] == layout

        plans.append(select(graph, core, allow=only))
    return plans


def graphs() -> Iterator[Graph]:
    for number, shape in enumerate(SHAPES):
        type = ("int8", "uint8", "int4", "bipolar")[number % 4]
        out = ("int8", "int8", "uint8", "int5")[number % 4]
        yield requantized(shape, type, out, number % 3 + 1)
    for shape, type in product(SHAPES[:4:2], ("ternary", "uint2")):
        height, width, channels, outs, *_ = shape
        yield edge_cases(type, 9 * channels, outs, type, (height, width))


def kinds(plan: Plan) -> tuple[str, type]:
    step = next(step for step in plan.steps if step.ops)
    return step.body.fields["after"].kind, type(step.ins[0].layout)  # type: ignore[attr-defined]


def inputs(graph: Graph) -> IntArray:
    return build.samples(np.random.default_rng(4), graph.input, 6)


def check_on_core(plan: Plan, compiler: str = "auto") -> None:
    codes = inputs(plan.graph)
    found = run_plan(plan, codes, options={"count": 0, "compiler": compiler}).outputs
    np.testing.assert_array_equal(found, reference(plan.graph, codes).outputs)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
def test_the_c_in_place_of_assembly(core: str, tmp_path: Path) -> None:
    """The C of each core, under sanitizers."""
    need("gcc")
    plans = [plan for graph in graphs() for plan in to_bytes(graph, core)]
    found = {kinds(plan) for plan in plans}
    assert {kind for kind, _ in found} >= {"bytes", "select" if core == "cortex-m4" else "count"}
    assert any(layout is Stripes for _, layout in found)
    codes = sum("codes[" in text for plan in plans for text in render_plan(plan).values())
    assert (codes > 0) == (core == "cortex-m0plus")
    Program(plans, tmp_path).check(inputs)


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
def test_assembly(core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    found: list[Plan] = []
    for number, graph in enumerate(graphs()):
        plans = to_bytes(graph, core)
        assert plans
        found += plans[number % 2 :: 2] or plans
    PlanFleet.of_plans(found).check(core)


@pytest.mark.parametrize("core", CORES)
def test_nothing_is_clamped_where_weights_prove_it(core: str) -> None:
    """One weight of an input of 8 bits: shifted by 1 it fits, as it is with a bias it does not."""
    x = build.value("x", (4, 4, 1), "int8")
    op = Conv2d(
        name="c", inputs=("x",), weights=np.ones((2, 1, 1, 1), np.int8), weight_type="ternary",
        bias=np.zeros(2, np.int32),
    )  # fmt: skip
    act = Requantize(
        name="act", inputs=("c",), m=np.ones(2, np.int32), b=np.array([9, 9], np.int32),
        s=np.array([1, 0], np.int32), zero=0, lo=-128, hi=127, rounding="floor", type="int8",
    )  # fmt: skip
    plan = to_bytes(build.graph(x, op, act), core)[0]
    after = plan.steps[-1].body.fields["after"]
    assert after.kind == "bytes" and after.hard.tolist() == [0, 1]  # type: ignore[attr-defined]
    assert (after.codes is not None) == (core == "cortex-m0plus")  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", [(3, 7, 2), (2, 9, 1), (5, 4, 3)])
@pytest.mark.parametrize("lanes", [2, 4])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("type", ["int8", "ternary", "bipolar"])
def test_stripes_show_every_window(shape: tuple[int, int, int], lanes: int, stride: int, type: str) -> None:
    """Round trip, and lane l of word (r, q) is the padded input of column starts[l] + q."""
    rng = np.random.default_rng(1)
    x = build.value("x", shape, type)
    op = conv(rng, "x", shape, 2, "c", stride)
    window = Window.of(op, x, op.infer([x]))
    assert window is not None
    layout = window.stripes(x, 1, lanes)
    codes = build.samples(rng, x, 3)[2]
    image = layout.encode(codes, x)
    assert len(image) == layout.size(x)
    np.testing.assert_array_equal(layout.decode(image, x), codes)
    words = np.frombuffer(image, "<u4").reshape(layout.rows, layout.width, -1)
    padded = np.pad(codes, [(layout.top, 9), (layout.left, 9), (0, 0)], constant_values=1)
    unit, mask = 2 if type == "bipolar" else 1, 2**layout.bits - 1
    for lane, start in enumerate(layout.starts):
        shown = (words >> np.uint32(layout.bits * lane) & mask).astype(np.int32) * unit + x.type.lo
        np.testing.assert_array_equal(shown, padded[: layout.rows, start : start + layout.width])


def test_flat_stripes_are_all_pixels_in_one_row() -> None:
    x = build.value("x", (5, 5, 3), "ternary")
    codes = build.samples(np.random.default_rng(2), x, 3)[2]
    layout = Window((1, 1), (1, 1), (0, 0), (1, 25), False).stripes(x, 0, 4, flat=True)
    assert (layout.starts, layout.rows, layout.width) == ((0, 6, 12, 18), 1, 7)
    np.testing.assert_array_equal(layout.decode(layout.encode(codes, x), x), codes)


@pytest.mark.emulator
@pytest.mark.parametrize("type", ["int8", "ternary", "bipolar", "uint2"])
def test_rows_at_any_address(type: str) -> None:
    """On a core that loads words from multiples of 4: input and output anywhere, rows of odd length."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    narrow = type != "int8"
    graphs = (
        requantized((5, 7, 3, 5, 3, 1), type, "int8", 1),
        edge_cases(type, 5, 5, "ternary", (9, 3))
        if narrow
        else requantized((7, 5, 3, 4, 1, 1), type, "int8", 1),
    )
    turn = ("int8", "ternary", "bipolar", "uint2").index(type) % len(graphs)
    for graph in graphs if FULL else graphs[turn : turn + 1]:
        plans = to_bytes(graph, "cortex-m0plus")
        assert plans
        for plan in plans:
            check_anywhere(plan)


def check_anywhere(plan: Plan) -> None:
    """Nothing beside the output is written, wherever it begins."""
    image = link(of_plan(plan), "cortex-m0plus")
    machine = Machine(image.elf, "cortex-m0plus", image.regions)
    run, model = (image.elf.address(name) for name in (f"{image.model.prefix}_run", "bench_model"))
    graph = plan.graph
    codes = inputs(graph)[0]
    right = elements(graph.output_value, reference(graph, codes[None]).outputs)
    free = image.regions.ram.origin + image.regions.ram.bytes // 2
    for x, y in [(0, 0), (1, 3), (2, 1), (3, 2)]:
        machine.write(free + x, elements(graph.input, codes))
        machine.write(free + 0x1000, b"\xa5" * (len(right) + 8))
        machine.call(run, model, free + x, free + 0x1000 + y)
        found = machine.read(free + 0x1000, len(right) + 8)
        assert found == b"\xa5" * y + right + b"\xa5" * (8 - y), (x, y)


PLAN, FOUR, JOINED, STRIPES = Bytes.plan, transpose2._four, lanes_pack1._joined, lanes_segments._of_stripes


def _never_hard(case: Case) -> Bytes | None:
    found = PLAN(case)
    return found and replace(found, hard=np.zeros_like(found.hard))


def _lowest_code_raised(case: Case) -> Bytes | None:
    found = PLAN(case)
    if found is None or found.codes is None:
        return found
    return replace(found, codes=np.maximum(found.codes, found.codes.min() + 1))


def _too_little_skipped(layout: Stripes, value: Value) -> list[Rows]:
    skips = [{lane: n - value.channels for lane, n in rows.skips.items()} for rows in STRIPES(layout, value)]
    return [replace(rows, skips=n) for rows, n in zip(STRIPES(layout, value), skips, strict=True)]


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("core", "owner", "name", "fault"),
    [
        ("cortex-m4", Bytes, "plan", _never_hard),
        ("cortex-m0plus", Bytes, "plan", _lowest_code_raised),
        (
            "cortex-m4",
            transpose2,
            "_four",
            lambda *given: (text.replace("#8", "#7") for text in FOUR(*given)),
        ),
        (
            "cortex-m0plus",
            lanes_pack1,
            "_joined",
            lambda a, b, n: [JOINED(a, b, n)[0], JOINED(a, b, 4 - n)[1]],
        ),
        ("cortex-m4", lanes_segments, "_of_stripes", _too_little_skipped),
    ],
)
def test_faults_are_caught(
    core: str, owner: object, name: str, fault: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    monkeypatch.setattr(owner, name, fault)
    lanes_conv.sums.cache_clear()
    try:
        with pytest.raises(AssertionError, match="Arrays are not equal"):
            for graph in graphs():
                for plan in to_bytes(graph, core):
                    check_on_core(plan)
    finally:
        monkeypatch.undo()
        lanes_conv.sums.cache_clear()


def test_stripes_are_offered_where_rows_leave_lanes_empty() -> None:
    def layouts(shape: tuple[int, ...]) -> list[Words]:
        plans = to_bytes(requantized(shape, "int8", "int8", 1), "cortex-m4")
        return [layout for plan in plans if isinstance(layout := plan.steps[-1].ins[0].layout, Stripes)]

    assert layouts((4, 5, 3, 4, 3, 1)) == []
    assert [layout.flat for layout in layouts((5, 8, 3, 4, 3, 1))] == [False]  # type: ignore[attr-defined]
    assert [layout.flat for layout in layouts((5, 5, 3, 4, 1, 1))] == [True]  # type: ignore[attr-defined]
