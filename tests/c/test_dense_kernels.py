"""dense through tables, slices, baked code and integer products: exact everywhere, as fast as promised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeternary import cores
from edgeternary.c.kernel import Body, Kernel, Match, Offer
from edgeternary.c.kernels import dense_tables, kernels
from edgeternary.c.plan import Plan
from edgeternary.c.render import render_plan
from edgeternary.c.select import select
from edgeternary.ir import Graph, Op, parse
from edgeternary.ir.names import identifier
from edgeternary.ops import Dense, build
from edgeternary.run import cortex_m, run
from edgeternary.run._bench import BenchModel
from edgeternary.run._options import Options
from edgeternary.run.result import Result
from tests.c.graphs import FOLLOWS, Net, followed, requantize
from tests.c.harness import Program, check, sample
from tests.full import FULL, pairs
from tests.need import need

PACKED = ("dense_tables", "dense_slices", "dense_baked")
COMPILERS = [
    pytest.param("zig", marks=pytest.mark.emulator),
    pytest.param("gcc", marks=[pytest.mark.emulator, pytest.mark.system]),
]


def layer(
    n: int, out: int, weight_type: str, input_type: str, seed: int = 0, fill: int | None = None
) -> Graph:
    """One dense layer; weights 45 % zero if ternary, or all equal to `fill`."""
    rng = np.random.default_rng(seed)
    weights = build.codes(rng, (out, n), weight_type) if fill is None else np.full((out, n), fill, np.int8)
    bias = rng.integers(-50, 50, out).astype(np.int32)
    op = Dense(name="fc", inputs=("x",), weights=weights, weight_type=weight_type, bias=bias)
    return build.graph(build.value("x", (n,), input_type), op)


def forced(graph: Graph, kernel: str | dict[str, str], core: str) -> Plan:
    """The plan in which dense layers run on one kernel, or on the one named for each."""

    def allow(match: Match, candidate: Kernel, offer: Offer) -> bool:
        if match.ops[0].kind != "dense":
            return True
        wanted = kernel if isinstance(kernel, str) else kernel[match.ops[0].name]
        return candidate.name == wanted and not offer.from_ram

    return select(graph, core, allow=allow)


def measure(plan: Plan, inputs: np.ndarray, compiler: str) -> Result:
    """Run on the emulated core of the plan."""
    steps = tuple((step.layer, step.kernel.name) for step in plan.calls)
    model = BenchModel(identifier(plan.graph.name), render_plan(plan), (), steps)
    options = Options.read({"compiler": compiler, "count": 1})
    return cortex_m.execute(plan.graph, inputs, plan.core.name, model, None, options)


SHAPES = {
    "dense_tables": [
        (1, 1, "ternary", "uint8"), (20, 1, "ternary", "int8"), (45, 37, "ternary", "uint8"),
        (63, 6, "ternary", "int3"), (32, 5, "bipolar", "uint8"), (75, 33, "bipolar", "int8"),
        (7, 3, "bipolar", "uint4"), (120, 4, "ternary", "uint12"),
    ],
    "dense_slices": [
        (1, 1, "ternary", "ternary"), (17, 33, "ternary", "ternary"), (70, 64, "bipolar", "bipolar"),
        (33, 65, "ternary", "bipolar"), (40, 31, "ternary", "uint2"), (19, 7, "bipolar", "int4"),
        (31, 5, "ternary", "int2"), (47, 34, "bipolar", "ternary"), (16, 3, "bipolar", "uint4"),
        (64, 2, "ternary", "binary"),
    ],
    "dense_baked": [
        (1, 1, "ternary", "uint8"), (37, 10, "ternary", "int8"), (300, 3, "bipolar", "uint2"),
        (40, 25, "ternary", "int16"), (19, 2, "ternary", "ternary"),
    ],
    "dense_int": [
        (1, 1, "int8", "int8"), (9, 5, "int8", "uint8"), (16, 8, "int4", "int8"), (21, 7, "int3", "uint8"),
        (35, 6, "int5", "int16"), (11, 4, "int4", "uint2"), (30, 3, "int8", "bipolar"),
    ],
}  # fmt: skip


def plans(kernel: str) -> Iterator[Plan]:
    """Shapes that fill no block, one and several; what may follow; weights and inputs at their extremes."""
    for i, (n, out, weight_type, input_type) in enumerate(SHAPES[kernel]):
        rng = np.random.default_rng(i)
        graph = layer(n, out, weight_type, input_type, i)
        core = ("cortex-m4", "cortex-m0plus", "host")[i % 3]
        yield forced(graph, kernel, core)
        for follow in (FOLLOWS[i % len(FOLLOWS)], FOLLOWS[(3 * i + 5) % len(FOLLOWS)]):
            yield forced(followed(graph, follow, rng), kernel, core)
        for fill in (parse(weight_type).lo, parse(weight_type).hi):
            yield forced(layer(n, out, weight_type, input_type, i, fill), kernel, core)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", SHAPES)
def test_equal_to_the_reference(kernel: str, tmp_path: Path) -> None:
    """The C references, under sanitizers."""
    need("gcc")
    check(list(plans(kernel)), tmp_path)


class Faulty(Kernel, abstract=True):  # planning is over
    """A kernel with one weight changed."""

    def __init__(self, good: Kernel) -> None:
        self.good, self.name = good, good.name

    def body(self, match: Match, offer: Offer) -> Body:
        body = self.good.body(match, offer)
        if not body.tables or body.tables[0].name != "weights":  # baked: drop a term
            statements = [text.replace("x[0]", "x[1]") for text in body.fields["statements"]]
            return replace(body, fields={**body.fields, "statements": statements})
        data = body.tables[0].data.copy()
        data.flat[0] ^= 1
        return replace(body, tables=[replace(body.tables[0], data=data), *body.tables[1:]])


@pytest.mark.parametrize("kernel", SHAPES)
def test_a_wrong_weight_is_seen(kernel: str, tmp_path: Path) -> None:
    need("gcc")
    n, out, weight_type, input_type = SHAPES[kernel][2]
    plan = forced(layer(n, out, weight_type, input_type, 3), kernel, "host")
    steps = tuple(replace(step, kernel=Faulty(step.kernel)) if step.ops else step for step in plan.steps)
    scratch = {new: plan.scratch[old] for old, new in zip(plan.steps, steps) if old in plan.scratch}
    broken = replace(plan, steps=steps, scratch=scratch)
    inputs = sample(plan.graph, np.random.default_rng(0), 40)
    right = run(plan.graph, inputs).outputs
    program = Program([plan, broken], tmp_path)
    np.testing.assert_array_equal(program.run(0, inputs).outputs, right)
    assert np.any(program.run(1, inputs).outputs != right)


CHAIN = {"fc0": "dense_tables", "fc1": "dense_slices", "fc2": "dense_slices", "fc3": "dense_baked",
         "fc4": "dense_int", "fc5": "dense_int", "fc6": "dense_tables", "fc7": "dense_slices",
         "fc8": "dense_baked"}  # fmt: skip


def chain() -> Graph:
    """A dense layer on every kernel, one after the other."""
    net = Net("chain", build.value("x", (45,), "uint8"), np.random.default_rng(2))
    net.dense(70, "ternary", "fc0").threshold("ternary", "act0")
    net.dense(66, "ternary", "fc1").threshold("uint2", "act1")
    net.dense(33, "bipolar", "fc2").threshold("int3", "act2")
    net.dense(25, "ternary", "fc3")
    net.add(requantize_as(net, "act3"))
    net.dense(30, "int8", "fc4").threshold("uint4", "act4")
    net.dense(75, "int4", "fc5")
    net.add(requantize_as(net, "act5"))
    net.dense(40, "bipolar", "fc6").threshold("bipolar", "act6")
    net.dense(37, "ternary", "fc7").threshold("uint4", "act7")
    return net.dense(10, "bipolar", "fc8").graph()


def requantize_as(net: Net, name: str) -> Op:
    """A requantize of form A of the end of the chain, called `name`."""
    return msgspec.structs.replace(requantize(net.value, "A", net.rng), name=name)


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("core", "compiler"),
    [
        ("cortex-m0plus", "gcc"),
        ("cortex-m3", "zig"),
        ("cortex-m4", "gcc"),
        ("cortex-m33", "zig"),
        *([("cortex-m0plus", "zig"), ("cortex-m7", "gcc")] * FULL),
    ],
)
def test_equal_on_every_core(core: str, compiler: str) -> None:
    """The assembly."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    plan = forced(chain(), CHAIN, core)
    inputs = sample(plan.graph, np.random.default_rng(1), 8)
    found = measure(plan, inputs, compiler)
    np.testing.assert_array_equal(found.outputs, run(plan.graph, inputs).outputs)


LIMITS = [  # targets: M4 1.94 / 2 and 1.94 / 6, M0+ 6.13 / 2.5 and 6.13 / 10 instructions a weight
    ("dense_tables", "ternary", "uint8", 0.90, 1.30, 0.21),
    ("dense_tables", "bipolar", "int8", 0.62, 0.90, 0.14),
    ("dense_slices", "ternary", "ternary", 0.30, 0.40, 0.26),
    ("dense_slices", "bipolar", "bipolar", 0.25, 0.36, 0.14),
]


@pytest.mark.parametrize(
    ("kernel", "weights", "act", "m4", "m0", "size", "compiler"),
    [pytest.param(*limit, *found.values, marks=found.marks) for limit, found in pairs(LIMITS, COMPILERS)],
)
def test_instructions_of_784_256(
    kernel: str, weights: str, act: str, m4: float, m0: float, size: float, compiler: str
) -> None:
    """From a natural input to int32 outputs; half of the ternary inputs are 0."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    graph = layer(784, 256, weights, act)
    rng = np.random.default_rng(0)
    inputs = build.samples(rng, graph.input, 3)[2:]
    if act == "ternary":
        inputs[0] = rng.permutation(np.repeat([-1, 0, 0, 1], 196))
    for core, limit in (("cortex-m4", m4), ("cortex-m0plus", m0)):
        plan = forced(graph, kernel, core)
        found = measure(plan, inputs, compiler)
        np.testing.assert_array_equal(found.outputs, run(graph, inputs).outputs)
        assert found.stats["instructions"] <= limit * graph.macs()
        assert sum(step.table_bytes for step in plan.calls) <= size * graph.macs()


@pytest.mark.emulator
@pytest.mark.parametrize(("kernel", "core"), pairs(PACKED, ["cortex-m0plus", "cortex-m4"]))
def test_no_multiplication(kernel: str, core: str) -> None:
    """In the disassembly of a layer with thresholds, and with a requantize of form A."""
    need("unicorn", "capstone", "zig")
    from edgeternary.run._emulator.image import link
    from tests.c.disassembly import multiplications

    n, out, weight_type, input_type = SHAPES[kernel][2]
    for follow in ("uint2", "A"):
        graph = followed(layer(n, out, weight_type, input_type), follow, np.random.default_rng(0))
        plan = forced(graph, kernel, core)
        model = BenchModel(identifier(graph.name), render_plan(plan))
        assert multiplications(link(model, core, compiler="zig").elf.path, identifier(graph.name)) == []
    graph = followed(layer(n, out, "int8", "int8"), "A", np.random.default_rng(0))
    model = BenchModel(identifier(graph.name), render_plan(forced(graph, "dense_int", core)))
    assert multiplications(link(model, core, compiler="zig").elf.path, identifier(graph.name)), (
        "a check that sees them"
    )


def offered(graph: Graph, name: str) -> bool:
    (kernel,) = (kernel for kernel in kernels() if kernel.name == name)
    op = graph.ops[0]
    match = Match((op,), (graph.input,), (graph.values[op.name],), cores.core("cortex-m4"))
    return any(True for _ in kernel.offers(match))


def test_preconditions() -> None:
    """No table entry leaves 16 bits, no counter its digits, no product of nibbles int32."""
    assert offered(layer(20, 4, "ternary", "uint12"), "dense_tables")
    assert not offered(layer(20, 4, "ternary", "uint13"), "dense_tables")
    assert offered(layer(20, 4, "bipolar", "uint12"), "dense_tables")
    assert not offered(layer(2200, 1, "ternary", "uint4"), "dense_slices")
    assert offered(layer(2100, 1, "ternary", "uint4"), "dense_slices")
    assert not offered(layer(9, 4, "ternary", "uint5"), "dense_slices")
    assert not offered(layer(9, 4, "int8", "uint16"), "dense_int")
    assert dense_tables.RADIX["ternary"].reach * 6553 <= 0xFFFF < dense_tables.RADIX["ternary"].reach * 6554
