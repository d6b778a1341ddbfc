"""Products of 16-bit pairs: the C references under sanitizers, the assembly on every core that has SMLAD."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeternary.c.plan import Plan
from edgeternary.ir import Graph, parse
from edgeternary.ops import Conv2d, build
from tests.c.graphs import FOLLOWS, followed
from tests.c.harness import check, every_plan
from tests.c.plan_fleet import PlanFleet
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


def conv(number: int, fill: int | None = None) -> Graph:
    shape, out, kernel, stride, pad, weight_type, input_type = CONVS[number]
    rng = np.random.default_rng(number)
    x = build.value("x", shape, input_type)
    form = (out, *kernel, shape[2])
    codes = build.codes(rng, form, weight_type) if fill is None else np.full(form, fill, np.int8)
    if fill is None:
        codes.flat[:: 1 + codes.size // 5] = parse(weight_type).lo
    op = Conv2d(
        name="layer", inputs=("x",), weights=codes, weight_type=weight_type, stride=stride, pad=pad,
        bias=rng.integers(-99, 99, out).astype(np.int32), pad_value=x.hi if any(pad) else 0,
    )  # fmt: skip
    return build.graph(x, op)


def graphs() -> Iterator[Graph]:
    """Layers alone, with what follows them, and with all weights at the ends of their type."""
    rng = np.random.default_rng(0)
    for i, (*_, weight_type, _) in enumerate(CONVS):
        yield conv(i)
        yield followed(conv(i, (None, parse(weight_type).lo)[i % 2]), FOLLOWS[i % len(FOLLOWS)], rng)
        yield conv(i, (parse(weight_type).lo, parse(weight_type).hi)[i % 2])


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
    check(plans("cortex-m4"), tmp_path)


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("core", "compiler"),
    [
        ("cortex-m4", "zig"),
        ("cortex-m33", "zig"),
        pytest.param("cortex-m4", "gcc", marks=pytest.mark.system),
        pytest.param("cortex-m7", "gcc", marks=pytest.mark.system),
    ],
)
def test_assembly(core: str, compiler: str) -> None:
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    PlanFleet.of_plans(plans(core)).check(core, compiler=compiler)
