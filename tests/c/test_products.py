"""dense and conv2d by products of two lanes and of bytes: exact everywhere, as fast as promised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeternary.c.plan import Plan
from edgeternary.c.products import words
from edgeternary.c.select import select
from edgeternary.ir import Graph, IntArray, parse
from edgeternary.ops import Conv2d, build
from edgeternary.run import run
from tests.c.graphs import FOLLOWS, followed
from tests.c.harness import check
from tests.c.plan_fleet import PlanFleet
from tests.c.test_dense_kernels import COMPILERS, forced, layer, measure
from tests.full import pairs
from tests.need import need

SHAPES = {
    "words": [
        (1, 1, "int4", "uint8"), (9, 5, "int3", "int8"), (130, 13, "int4", "uint8"),
        (67, 24, "int2", "uint4"), (46, 3, "int4", "bipolar"), (50, 7, "int8", "uint3"),
    ],
    "nibbles": [
        (1, 1, "int4", "int8"), (9, 17, "int3", "uint8"), (131, 9, "int4", "int8"), (66, 16, "int2", "int4"),
    ],
    "octets": [
        (1, 1, "int8", "int8"), (9, 5, "int8", "uint8"), (71, 27, "int6", "int8"), (40, 10, "int5", "uint4"),
        (18, 33, "int8", "ternary"),
    ],
}  # fmt: skip
IMAGES = [  # image, outputs, kernel, stride, pad, what is outside
    ((4, 5, 3), 5, (3, 3), (1, 1), (1, 1, 1, 1), -2), ((5, 7, 7), 13, (1, 1), (1, 2), (0, 0, 0, 0), 0),
    ((3, 6, 11), 8, (2, 3), (2, 1), (0, 0, 0, 0), 0), ((1, 9, 2), 17, (1, 4), (1, 1), (0, 2, 0, 1), 1),
]  # fmt: skip


def image(i: int, weight_type: str, input_type: str, fill: int | None = None) -> Graph:
    """A convolution of IMAGES; its weights are random, or all equal to `fill`."""
    shape, out, kernel, stride, pad, value = IMAGES[i % len(IMAGES)]
    rng, x = np.random.default_rng(i), build.value("x", shape, input_type)
    codes = build.codes(rng, (out, *kernel, shape[2]), weight_type)
    op = Conv2d(
        name="conv", inputs=("x",), weights=codes if fill is None else np.full_like(codes, fill),
        weight_type=weight_type, bias=rng.integers(-50, 50, out).astype(np.int32), stride=stride, pad=pad,
        pad_value=max(value, x.lo), groups=1,
    )  # fmt: skip
    return build.graph(x, op)


def of_kernel(graph: Graph, kernel: str, core: str) -> Plan:
    """The plan in which the first op runs on one kernel."""
    return select(graph, core, allow=lambda m, k, _: m.ops[0] is not graph.ops[0] or k.name == kernel)


def plans(way: str, cores: tuple[str, ...]) -> Iterator[Plan]:
    """Shapes that fill no block, one and several; what may follow; weights and inputs at their ends."""
    for i, (n, out, weight_type, input_type) in enumerate(SHAPES[way]):
        rng, core = np.random.default_rng(i), cores[i % len(cores)]
        graph = layer(n, out, weight_type, input_type, i)
        yield of_kernel(graph, f"dense_{way}", core)
        for follow in (FOLLOWS[i % len(FOLLOWS)], FOLLOWS[(3 * i + 5) % len(FOLLOWS)]):
            yield of_kernel(followed(graph, follow, rng), f"dense_{way}", core)
        yield of_kernel(image(i, weight_type, input_type), f"conv2d_{way}", core)
        for fill in (parse(weight_type).lo, parse(weight_type).hi):
            yield of_kernel(layer(n, out, weight_type, input_type, i, fill), f"dense_{way}", core)
            graph = followed(image(i, weight_type, input_type, fill), FOLLOWS[i % len(FOLLOWS)], rng)
            yield of_kernel(graph, f"conv2d_{way}", core)


def ends(plan: Plan) -> IntArray:
    """Random inputs, all at one end, and both ends in turn."""
    x = plan.graph.input
    data = build.samples(np.random.default_rng(0), x, 5)
    turns = np.resize(np.array([x.lo, x.hi], np.int32), x.shape)
    return np.concatenate([data, [turns, turns[::-1]]]).astype(np.int32)


@pytest.mark.parametrize("way", SHAPES)
def test_the_references_in_c(way: str, tmp_path: Path) -> None:
    """Under sanitizers."""
    need("gcc")
    check(list(plans(way, ("cortex-m0plus", "host"))), tmp_path)


CASES = [(way, "cortex-m0plus") for way in SHAPES] + [("words", "cortex-m3"), ("nibbles", "cortex-m3")]


@pytest.mark.parametrize(
    ("way", "core", "compiler"),
    [pytest.param(*case, *found.values, marks=found.marks) for case, found in pairs(CASES, COMPILERS)],
)
def test_the_assembly(way: str, core: str, compiler: str) -> None:
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    chosen = list(plans(way, (core,)))[:: 3 if compiler == "gcc" else 7]
    PlanFleet.of_codes(chosen, [ends(plan) for plan in chosen]).check(core, compiler=compiler)


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 90),
    weight_type=st.sampled_from(["int2", "int3", "int4"]),
    input_type=st.sampled_from(["int8", "uint8", "uint4", "bipolar"]),
    excess=st.sampled_from([0, words.NIBBLES]),
)
@settings(max_examples=60, deadline=None)
def test_runs_fit_their_lanes(seed: int, n: int, weight_type: str, input_type: str, excess: int) -> None:
    """With the inputs that make each sum largest and smallest."""
    rng = np.random.default_rng(seed)
    codes, x = build.codes(rng, (3, n), weight_type), build.value("x", (n,), input_type)
    found = words.run(codes, excess, x)
    assert found is not None and found.count == -(-n // found.inputs)
    stored = codes.astype(int) + excess
    for most in (np.where(stored > 0, x.hi, x.lo), np.where(stored > 0, x.lo, x.hi)):
        terms = stored * most
        for first in range(0, n, found.inputs):
            for last in range(first, min(first + found.inputs, n)):
                assert np.abs(terms[:, first : last + 1].sum(axis=1)).max() <= 0x8000


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("kernel", "weight_type", "limit", "size"),
    [
        ("dense_words", "int3", 1.75, 2.1),
        ("dense_nibbles", "int3", 2.8, 0.55),
        ("dense_octets", "int8", 3.7, 1.05),
    ],
)
def test_instructions_of_784_256(
    kernel: str, weight_type: str, limit: float, size: float, compiler: str
) -> None:
    """CMSIS-NN takes 6.13 in int8."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    plan = forced(layer(784, 256, weight_type, "int8"), kernel, "cortex-m0plus")
    inputs = build.samples(np.random.default_rng(0), plan.graph.input, 3)[2:]
    found = measure(plan, inputs, compiler)
    np.testing.assert_array_equal(found.outputs, run(plan.graph, inputs).outputs)
    instructions, cycles = (float(str(found.stats[name])) for name in ("instructions", "cycles"))
    assert instructions <= limit * plan.graph.macs()
    assert sum(step.table_bytes for step in plan.calls) <= size * plan.graph.macs()
    assert 0.9 < plan.cycles / cycles < 1.1
