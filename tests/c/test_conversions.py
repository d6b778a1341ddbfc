"""Conversions between layouts: every way there is leaves the codes as they were, whatever shape and type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from edgeternary import cores
from edgeternary.c import memory
from edgeternary.c.kernel import Conversion, Match, Offer
from edgeternary.c.kernels import converters
from edgeternary.c.kernels.max_pool import MaxPoolNatural
from edgeternary.c.lanes.added import bare
from edgeternary.c.lanes.window import Window
from edgeternary.c.layouts import NATURAL, Layout, planes
from edgeternary.c.plan import Buffer, Plan, Step
from edgeternary.c.slices import layout as slicing
from edgeternary.c.slices.layout import Slices
from edgeternary.ir import Graph, Value
from edgeternary.ops import Conv2d, MaxPool, build
from edgeternary.run import run
from tests.c.harness import Program, check, sample
from tests.need import need

SHAPES = [
    (1, 1, 1),
    (5, 7, 3),
    (4, 4, 32),
    (7, 7, 8),
    (6, 13, 36),
    (9, 3, 16),
    (28, 28, 4),
    (1, 40, 5),
    (12, 5, 70),
]
TYPES = ["bipolar", "binary", "ternary", "uint2", "int3", "uint4", "int4"]


def identity(shape: tuple[int, ...], type: str) -> Graph:
    op = MaxPool(
        name="same", inputs=("x",), kernel=(1, 1), stride=(1, 1), minimum=np.zeros(shape[-1], np.uint8)
    )
    return build.graph(build.value("x", shape, type), op)


def layouts(value: Value) -> list[Layout]:
    """Some of each kind."""
    height, width, channels = value.shape
    weights = np.ones((1, 3 if height > 1 else 1, 3, channels), np.int8)
    pad = (1, 1, 1, 1) if height > 1 else (0, 1, 0, 1)
    op = Conv2d(
        name="conv",
        inputs=("x",),
        weights=weights,
        weight_type="ternary",
        bias=np.zeros(1, np.int32),
        pad=pad,
    )
    found: list[Layout | None] = [planes(value), slicing.pointwise(value), slicing.required(op, value)]
    window = Window.of(op, value, value)
    assert window is not None
    for lanes in (2, 4):
        if max(height, width if height == 1 else 0) >= lanes:
            own = window.required(value, value.type.lo, window.starts(lanes))
            found += [own, bare(own, value)] if own else []
    return [layout for layout in found if layout is not None]


def step(value: Value, source: Buffer, target: Buffer, core: str) -> Step | None:
    """The conversion from one buffer to another, if there is one."""
    for kernel in converters():
        offer = kernel.convert(value, source.layout, target.layout, cores.core(core))
        if offer:
            return Step(kernel, Match((), (value,), (value,), cores.core(core)), offer, (source,), target)
    return None


def by_way_of(graph: Graph, way: Sequence[Layout], core: str) -> Plan | None:
    """Codes go through layouts, one after the other, and come back."""
    value = graph.input
    buffers = [Buffer(value, layout) for layout in (NATURAL, *way)] + [Buffer(value, NATURAL, copy=True)]
    steps = [step(value, source, target, core) for source, target in pairwise(buffers)]
    if None in steps:
        return None
    match = Match((graph.ops[0],), (value,), (graph.output_value,), cores.core(core))
    offer = replace(next(iter(MaxPoolNatural().offers(match))), in_place=())
    last = Step(MaxPoolNatural(), match, offer, (buffers[-1],), Buffer(graph.output_value, NATURAL))
    done = (*(s for s in steps if s), last)
    places, scratch, arena = memory.plan_memory(graph, done)
    return Plan(graph, cores.core(core), done, places, scratch, arena)


def plans(type: str, core: str) -> Iterator[Plan]:
    for shape in SHAPES[TYPES.index(type) % 3 :: 3]:
        graph = identity(shape, type)
        for way in permutations(layouts(graph.input), 2):
            plan = by_way_of(graph, way, core)
            if plan:
                yield plan


@pytest.mark.slow
@pytest.mark.parametrize("type", TYPES)
def test_there_and_back(type: str, tmp_path: Path) -> None:
    need("gcc")
    found = list(plans(type, "host"))
    kernels = {step.kernel.name for plan in found for step in plan.steps}
    assert kernels >= {"pack_slices", "unpack_slices", "transpose_slices", "planes_lanes"}
    check(found, tmp_path)


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (3, 70, 2)])
def test_slices_round_trip(shape: tuple[int, int, int], type: str) -> None:
    value = build.value("v", shape, type)
    codes = build.samples(np.random.default_rng(0), value, 3)[2]
    for layout in layouts(value):
        image = layout.encode(codes, value)
        assert len(image) == layout.size(value)
        np.testing.assert_array_equal(layout.decode(image, value), codes)


def test_bits_of_slices() -> None:
    """Rows of seven pixels, four in a word: those of row 1 are the third."""
    value = build.value("v", (7, 7, 1), "bipolar")
    codes = np.full(value.shape, -1, np.int32)
    codes[5, 3] = 1
    words = np.frombuffer(Slices(7, 8, 2).encode(codes, value), "<u4")
    np.testing.assert_array_equal(words, [0, 1 << 8 * 2 + 3])
    assert Slices(7, 8, 2).masks(49) == [(0, 0x7F7F7F7F), (1, 0x007F7F7F)]


class Faulty(Conversion, abstract=True):  # planning is over
    """Takes one channel less."""

    name = "planes_lanes"

    def __init__(self, good: Conversion) -> None:
        self.good = good

    def body(self, match: Match, offer: Offer):  # type: ignore[no-untyped-def]
        body = self.good.body(match, offer)
        return replace(body, fields={**body.fields, "left": body.fields["left"] + 1})


def test_a_wrong_column_is_seen(tmp_path: Path) -> None:
    need("gcc")
    graph = identity((6, 13, 16), "uint2")
    lanes = next(layout for layout in layouts(graph.input) if layout.name.startswith("lanes"))
    plan = by_way_of(graph, (planes(graph.input), lanes), "host")
    assert plan is not None
    steps = tuple(
        replace(step, kernel=Faulty(step.kernel)) if step.kernel.name == "planes_lanes" else step
        for step in plan.steps
    )
    program = Program([plan, replace(plan, steps=steps)], tmp_path)
    inputs = sample(graph, np.random.default_rng(0), 10)
    right = run(graph, inputs).outputs
    np.testing.assert_array_equal(program.run(0, inputs).outputs, right)
    assert np.any(program.run(1, inputs).outputs != right)
