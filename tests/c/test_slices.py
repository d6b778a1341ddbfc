"""conv2d on slices of 32 pixels: exact for all widths, lanes, pads and types; no multiplication; fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pytest

from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.c.slices import counters as slices
from edgeternary.c.slices import layout as slicing
from edgeternary.c.slices.layout import Slices
from edgeternary.ir import Graph, parse
from edgeternary.ir.names import identifier
from edgeternary.ops import Conv2d, build
from edgeternary.run import cortex_m, run
from edgeternary.run._bench import BenchModel
from edgeternary.run._options import Options
from tests.c.graphs import FOLLOWS, Net, followed
from tests.c.harness import Program, check, sample
from tests.c.plan_fleet import PlanFleet
from tests.full import FULL
from tests.need import need

# height, width, channels, outputs, kernel, pads, weights, inputs
SHAPES = [
    ((1, 1, 3), 2, (1, 1), (0, 0, 0, 0), "ternary", "ternary"),
    ((5, 7, 3), 4, (3, 3), (1, 1, 1, 1), "ternary", "uint2"),
    ((7, 7, 2), 5, (3, 3), (1, 1, 1, 1), "bipolar", "bipolar"),
    ((6, 14, 4), 3, (3, 3), (1, 1, 1, 1), "bipolar", "ternary"),
    ((9, 15, 2), 3, (3, 1), (2, 0, 0, 0), "ternary", "binary"),
    ((4, 31, 3), 2, (3, 3), (1, 1, 1, 1), "ternary", "bipolar"),
    ((13, 3, 2), 7, (5, 2), (2, 0, 2, 1), "bipolar", "int3"),
    ((3, 17, 1), 2, (1, 5), (0, 2, 0, 2), "ternary", "int4"),
    ((11, 2, 5), 3, (3, 4), (1, 2, 1, 1), "ternary", "uint4"),
    ((5, 13, 6), 4, (1, 1), (0, 0, 0, 0), "bipolar", "uint3"),
    ((8, 8, 2), 3, (1, 1), (0, 0, 0, 0), "ternary", "int2"),
]  # fmt: skip
Shape = tuple[tuple[int, int, int], int, tuple[int, int], tuple[int, int, int, int], str, str]


def layer(shape: Shape, seed: int = 0, fill: int | None = None) -> Graph:
    """One convolution, padded with the code whose planes are zeros."""
    (height, width, channels), out, kernel, pad, weight_type, input_type = shape
    rng = np.random.default_rng(seed)
    size = (out, *kernel, channels)
    weights = build.codes(rng, size, weight_type) if fill is None else np.full(size, fill, np.int8)
    op = Conv2d(
        name="conv", inputs=("x",), weights=weights, weight_type=weight_type, pad=pad,
        bias=rng.integers(-9, 10, out).astype(np.int32), pad_value=-1 if input_type == "bipolar" else 0,
    )  # fmt: skip
    return build.graph(build.value("x", (height, width, channels), input_type), op)


def forced(graph: Graph, core: str) -> Plan:
    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        return match.ops[0].kind != "conv2d" or (kernel.name == "conv2d_slices" and not offer.from_ram)

    return select(graph, core, allow=allow)


def plans() -> Iterator[Plan]:
    for i, shape in enumerate(SHAPES):
        rng = np.random.default_rng(i)
        core = ("cortex-m4", "host", "cortex-m0plus")[i % 3]
        for j in range(2):
            yield forced(followed(layer(shape, i), FOLLOWS[(i + 5 * j) % len(FOLLOWS)], rng), core)
        for fill in (None, parse(shape[4]).lo, parse(shape[4]).hi):
            yield forced(layer(shape, i, fill), core)


@pytest.mark.slow
def test_equal_to_the_reference(tmp_path: Path) -> None:
    """The C references, under sanitizers."""
    need("gcc")
    check(list(plans()), tmp_path)


@pytest.mark.emulator
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_empty_lists(core: str) -> None:
    """Outputs without a weight that counts: none, the first and the last one, or all; in assembly."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    graphs = []
    for i, shape in enumerate(SHAPES):
        if i % 2 == (core == "cortex-m4") and not FULL:
            continue  # the other core has it
        weight_type = shape[4]
        graph = layer(shape, i, parse(weight_type).lo if weight_type == "bipolar" else 0)
        graphs += [graph, followed(graph, FOLLOWS[i % len(FOLLOWS)], np.random.default_rng(i))]
        if weight_type == "ternary":
            (op,) = layer(shape, i).ops
            assert isinstance(op, Conv2d)
            weights = op.weights.copy()
            weights[[0, -1]] = 0
            partly = build.graph(graph.input, msgspec.structs.replace(op, weights=weights))
            graphs.append(followed(partly, FOLLOWS[(i + 3) % len(FOLLOWS)], np.random.default_rng(i)))
    PlanFleet.of_plans([forced(graph, core) for graph in graphs]).check(core)


class Faulty(Kernel, abstract=True):  # planning is over
    """One weight +1 taken from the next tap."""

    def __init__(self, good: Kernel) -> None:
        self.good, self.name = good, good.name

    def body(self, match: Match, offer: Offer) -> Body:
        body = self.good.body(match, offer)
        data = body.tables[0].data.copy()
        data[0] += 4
        return replace(body, tables=[replace(body.tables[0], data=data), *body.tables[1:]])


def test_a_wrong_tap_is_seen(tmp_path: Path) -> None:
    need("gcc")
    plan = forced(layer(SHAPES[1]), "host")
    steps = tuple(replace(step, kernel=Faulty(step.kernel)) if step.ops else step for step in plan.steps)
    scratch = {new: plan.scratch[old] for old, new in zip(plan.steps, steps) if old in plan.scratch}
    program = Program([plan, replace(plan, steps=steps, scratch=scratch)], tmp_path)
    inputs = sample(plan.graph, np.random.default_rng(0), 10)
    right = run(plan.graph, inputs).outputs
    np.testing.assert_array_equal(program.run(0, inputs).outputs, right)
    assert np.any(program.run(1, inputs).outputs != right)


def chain() -> Graph:
    """Convolutions with one, two, three and four lanes and with all kinds of planes."""
    net = Net("chain", build.value("x", (14, 14, 3), "uint2"), np.random.default_rng(3))
    net.conv(5, "ternary", "conv0").threshold("ternary", "act0")
    net.conv(7, "ternary", "conv1").threshold("bipolar", "act1")
    net.conv(6, "bipolar", "conv2").threshold("int3", "act2").pool("pool")
    net.conv(4, "ternary", "conv3").threshold("bipolar", "act3")
    return net.conv(3, "bipolar", "conv4").graph()


@pytest.mark.parametrize(
    ("core", "compiler"),
    [
        pytest.param("cortex-m0plus", "zig", marks=pytest.mark.emulator),
        pytest.param("cortex-m4", "zig", marks=pytest.mark.emulator),
        pytest.param("cortex-m0plus", "gcc", marks=[pytest.mark.emulator, pytest.mark.system]),
        pytest.param("cortex-m33", "gcc", marks=[pytest.mark.emulator, pytest.mark.system]),
    ],
)
def test_equal_on_cores(core: str, compiler: str) -> None:
    """The assembly, and no multiplication in a function of the model."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    from edgeternary.run._emulator.image import link
    from tests.c.disassembly import multiplications

    plan = forced(chain(), core)
    assert sum(step.kernel.name == "conv2d_slices" for step in plan.steps) == 5
    inputs = sample(plan.graph, np.random.default_rng(1), 4)
    steps = tuple((step.layer, step.kernel.name) for step in plan.calls)
    model = BenchModel(identifier(plan.graph.name), render_plan(plan), (), steps)
    options = Options.read({"compiler": compiler, "count": 0})
    found = cortex_m.execute(plan.graph, inputs, core, model, None, options)
    np.testing.assert_array_equal(found.outputs, run(plan.graph, inputs).outputs)
    image = link(model, core, compiler=compiler)
    assert [text for text in multiplications(image.elf.path, model.prefix) if "_conv" in text] == []


@pytest.mark.emulator
@pytest.mark.parametrize(("core", "limit"), [("cortex-m4", 0.23), ("cortex-m0plus", 0.32)])
def test_instructions_of_bipolar_64_64(core: str, limit: float) -> None:
    """14 x 14, from natural codes to int32: packing, gathering and unpacking included."""
    need("unicorn", "capstone", "zig")
    graph = layer(((14, 14, 64), 64, (3, 3), (1, 1, 1, 1), "bipolar", "bipolar"))
    plan = forced(graph, core)
    inputs = build.samples(np.random.default_rng(0), graph.input, 3)[2:]
    model = BenchModel(identifier(graph.name), render_plan(plan))
    options = Options.read({"compiler": "zig", "count": 1})
    found = cortex_m.execute(graph, inputs, core, model, None, options)
    np.testing.assert_array_equal(found.outputs, run(graph, inputs).outputs)
    instructions = found.stats["instructions"]
    assert isinstance(instructions, int) and instructions <= limit * graph.macs()


def test_parts() -> None:
    """Lines leave room for pads; images that are too wide are refused."""
    conv = [layer(((7, width, 1), 1, (3, 3), (1, 1, 1, 1), "ternary", "uint2")) for width in (7, 8, 31, 32)]
    found = [slicing.required(cast(Conv2d, graph.ops[0]), graph.input) for graph in conv]
    assert found == [Slices(7, 8, 2), Slices(8, 16, 4), Slices(31, 32, 7), None]


def test_counters_have_room() -> None:
    """start is large enough for what is subtracted from any plane on; digits for what is added."""
    for name in ("bipolar", "ternary", "uint4", "int4", "int2"):
        for most in (1, 7, 100, 1500):
            planes, low = slices.planes(parse(name)), slices.start(parse(name), most)
            high, before = low, planes[0].exponent
            for plane in planes:
                low, high = low << before - plane.exponent, high << before - plane.exponent
                before = plane.exponent
                low -= most if plane.negative else 0
                high += 0 if plane.negative else most
                assert low >= 0
            assert high < 1 << slices.digits(parse(name), most)
