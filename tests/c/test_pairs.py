"""Products of 16-bit pairs: the C references under sanitizers, the assembly on every core that has SMLAD."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary.c.plan import Plan
from edgeternary.ir import Graph, parse
from edgeternary.ops import Conv2d, Dense, build
from tests.c.graphs import FOLLOWS, followed
from tests.c.harness import check, every_plan
from tests.c.plan_fleet import PlanFleet
from tests.full import FULL
from tests.need import need

# height, width, channels; outputs; kernel; stride; pad (top, left, bottom, right); weights; inputs
CONVS = [
    ((5, 5, 4), 3, (3, 3), (1, 1), (1, 1, 1, 1), "int8", "int8"),
    ((4, 7, 8), 5, (3, 3), (2, 2), (0, 0, 1, 1), "int4", "uint8"),
    ((3, 3, 4), 1, (1, 1), (1, 1), (0, 0, 0, 0), "int8", "int8"),
    ((6, 5, 3), 6, (2, 3), (1, 2), (1, 2, 0, 1), "int5", "uint8"),
    ((1, 11, 5), 2, (1, 4), (1, 1), (0, 3, 0, 3), "int2", "int4"),
    ((5, 4, 12), 4, (5, 1), (1, 1), (4, 0, 4, 0), "int3", "uint4"),
    ((4, 4, 4), 7, (2, 4), (1, 1), (0, 5, 0, 4), "int8", "int16"),
    ((3, 5, 1), 33, (3, 3), (1, 1), (1, 1, 1, 1), "int8", "uint12"),
    ((2, 6, 20), 2, (1, 1), (1, 2), (0, 0, 0, 0), "int8", "uint2"),
    ((3, 3, 2), 4, (1, 2), (3, 1), (2, 0, 1, 0), "int6", "bipolar"),
]


# height, width, channels; kernel; stride; pad; weights; inputs
DEPTHS = [
    ((4, 4, 4), (3, 3), (1, 1), (1, 1, 1, 1), "int8", "int8"),
    ((5, 3, 9), (3, 2), (2, 1), (0, 1, 1, 1), "int4", "uint8"),
    ((1, 9, 6), (1, 5), (1, 2), (0, 0, 0, 0), "int2", "uint4"),
    ((7, 6, 8), (5, 5), (1, 1), (2, 2, 2, 2), "int8", "uint8"),
    ((3, 3, 12), (1, 1), (1, 1), (0, 0, 0, 0), "int5", "int8"),
    ((6, 2, 7), (6, 2), (1, 1), (0, 3, 0, 1), "int8", "int3"),
]  # fmt: skip

# inputs, outputs, weights, inputs
DENSES = [
    (1, 1, "int8", "int8"), (9, 5, "int8", "uint8"), (16, 8, "int4", "int8"), (21, 7, "int3", "uint8"),
    (35, 6, "int5", "int16"), (11, 4, "int4", "uint2"), (30, 3, "int8", "bipolar"), (60, 33, "int2", "uint8"),
    (4, 2, "int4", "int12"), (24, 12, "int6", "uint15"),
]  # fmt: skip


def codes(rng: np.random.Generator, form: tuple[int, ...], weight_type: str, fill: int | None) -> np.ndarray:
    """Random ones, some of them the lowest of the type; or all alike."""
    if fill is not None:
        return np.full(form, fill, np.int8)
    found = build.codes(rng, form, weight_type)
    found.flat[:: 1 + found.size // 5] = parse(weight_type).lo
    return found


def dense(number: int, fill: int | None = None) -> Graph:
    inputs, out, weight_type, input_type = DENSES[number]
    rng = np.random.default_rng(number)
    bias = rng.integers(-99, 99, out).astype(np.int32)
    w = codes(rng, (out, inputs), weight_type, fill)
    op = Dense(name="layer", inputs=("x",), weights=w, weight_type=weight_type, bias=bias)
    return build.graph(build.value("x", (inputs,), input_type), op)


def conv(number: int, fill: int | None = None) -> Graph:
    shape, out, *rest = CONVS[number]
    return _conv(number, shape, out, 1, rest, fill)


def depthwise(number: int, fill: int | None = None) -> Graph:
    shape, *rest = DEPTHS[number]
    return _conv(number, shape, shape[2], shape[2], rest, fill)


def _conv(
    seed: int, shape: tuple[int, int, int], out: int, groups: int, rest: list[Any], fill: int | None
) -> Graph:
    kernel, stride, pad, weight_type, input_type = rest
    rng = np.random.default_rng(seed)
    x = build.value("x", shape, input_type)
    w = codes(rng, (out, *kernel, shape[2] // groups), weight_type, fill)
    op = Conv2d(
        name="layer", inputs=("x",), weights=w, weight_type=weight_type, stride=stride, pad=pad,
        bias=rng.integers(-99, 99, out).astype(np.int32), pad_value=x.hi if any(pad) else 0, groups=groups,
    )  # fmt: skip
    return build.graph(x, op)


def graphs() -> Iterator[Graph]:
    """Layers alone, with what follows them, and with all weights at the ends of their type."""
    rng = np.random.default_rng(0)
    for make, layers in ((conv, CONVS), (depthwise, DEPTHS), (dense, DENSES)):
        for i, (*_, weight_type, _) in enumerate(layers):
            lo, hi = parse(weight_type).lo, parse(weight_type).hi
            yield make(i)
            yield followed(make(i, (None, lo)[i % 2]), FOLLOWS[i % len(FOLLOWS)], rng)
            yield make(i, (lo, hi)[i % 2])


@cache
def plans(core: str) -> list[Plan]:
    """Every offer of these kernels for every graph."""
    found = []
    for graph in graphs():
        of_graph = [
            plan
            for plan in every_plan(graph, core)
            if any(step.kernel.name.endswith("_pairs") for step in plan.steps)
        ]
        assert of_graph, graph
        found += of_graph
    return found


def test_references(tmp_path: Path) -> None:
    need("gcc")
    check(plans("cortex-m4")[:: 1 if FULL else 2], tmp_path)


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("turn", "core", "compiler"),
    [
        (0, "cortex-m4", "zig"),
        (1, "cortex-m33", "zig"),
        pytest.param(2, "cortex-m4", "gcc", marks=pytest.mark.system),
        pytest.param(3, "cortex-m7", "gcc", marks=pytest.mark.system),
    ],
)
def test_assembly(turn: int, core: str, compiler: str) -> None:
    """Each core takes a fourth of the plans; half of that in the daily run."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    PlanFleet.of_plans(plans(core)[turn :: 4 if FULL else 8]).check(core, compiler=compiler)
