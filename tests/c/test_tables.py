"""lut through places of bytes: exact for all sizes on every core, in few cycles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.table_nets import mnist_net
from edgeternary import zoo
from edgeternary.bench import rows
from edgeternary.c.kernel import Kernel, Match, Offer
from edgeternary.c.kernels.max_pool_slices import TOGETHER
from edgeternary.c.logic import logic
from edgeternary.c.plan import Plan
from edgeternary.c.select import Budget, select
from edgeternary.ir import Graph
from tests.c.harness import check, every_plan
from tests.c.plan_fleet import PlanFleet
from tests.c.table_nets import image_net, sums, table_net
from tests.need import need

CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4")


def forced(graph: Graph, core: str) -> Plan:
    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        return match.ops[0].kind == "reshape" or kernel.name == "lut_pins"

    return select(graph, core, allow=allow)


def graphs() -> Iterator[Graph]:
    """Each number of inputs, stored and counted; channels that are no whole words; numbers for all channels
    and for each."""
    for pins in range(1, 7):
        yield table_net(41, 70, 13 + pins, pins, groups=3, seed=pins)
        yield table_net(13, 30, 70 + pins, pins, numbers=2, groups=4, seed=20 + pins)
        yield table_net(8 * pins + 3, 50, 5 + 4 * pins, pins, numbers=40, seed=pins)
    yield table_net(36, 90, 40, 6, numbers=90, groups=5, seed=7)
    yield table_net(3, 7, 9, 4, groups=2, seed=8)


def test_references(tmp_path: Path) -> None:
    """The C references, under sanitizers."""
    need("gcc")
    check([forced(graph, core) for graph in graphs() for core in ("cortex-m4", "cortex-m0plus")], tmp_path)


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
def test_cores(core: str) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    PlanFleet.of_plans([forced(graph, core) for graph in graphs()]).check(core)


@pytest.mark.system
@pytest.mark.parametrize("compiler", ["gcc", pytest.param("zig", marks=pytest.mark.emulator)])
def test_m55(compiler: str) -> None:
    need("arm-none-eabi-gcc", "qemu-system-arm", "zig" if compiler == "zig" else "gcc")
    plans = [forced(graph, "cortex-m55") for graph in graphs()]
    PlanFleet.of_plans(plans).check("cortex-m55", compiler=compiler)


IMAGES = [
    ((5, 7, 1), (3, 3), (1, 1, 1, 1), "binary"),
    ((6, 14, 2), (3, 2), (0, 0, 0, 0), "bipolar"),
    ((9, 15, 1), (2, 3), (1, 2, 1, 1), "binary"),
    ((4, 30, 3), (1, 5), (0, 2, 0, 2), "binary"),
    ((13, 3, 1), (5, 2), (2, 0, 2, 1), "bipolar"),
    ((3, 28, 1), (2, 1), (0, 0, 0, 0), "binary"),
    ((3, 2, 4), (2, 2), (3, 3, 3, 3), "binary"),
    ((5, 13, 1), (1, 1), (0, 0, 0, 0), "binary"),
    ((2, 1, 1), (1, 1), (0, 0, 0, 0), "bipolar"),
    ((28, 28, 1), (3, 3), (1, 1, 1, 1), "binary"),
    ((12, 21, 1), (3, 3), (1, 1, 1, 1), "bipolar"),
    ((4, 2, 1), (2, 1), (1, 0, 0, 0), "binary"),
    ((6, 20, 1), (1, 3), (0, 0, 0, 0), "binary"),
]  # shape, kernel, pads, type
ON_SLICES = ("compare_slices", "lut_slices", "reshape")


def on_slices(graph: Graph, core: str) -> Plan:
    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        return match.ops[0].kind == "max_pool" or (kernel.name in ON_SLICES and not offer.from_ram)

    return select(graph, core, allow=allow)


def test_images(tmp_path: Path) -> None:
    need("gcc")
    plans = [on_slices(image_net(*image), "cortex-m4") for image in IMAGES]
    plans += [on_slices(image_net(*image, stride=2), "cortex-m4") for image in IMAGES]
    check([*plans, *every_plan(image_net(*IMAGES[12]))], tmp_path)
    variants = [
        step.offer.variant for plan in plans for step in plan.steps if step.kernel.name == "max_pool_slices"
    ]
    assert {*variants} == {"", TOGETHER}


@pytest.mark.emulator
def test_images_on_a_core() -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    plans = [
        on_slices(image_net(*image, stride=1 + i % 2), "cortex-m0plus") for i, image in enumerate(IMAGES)
    ]
    PlanFleet.of_plans(plans).check("cortex-m0plus")


def test_sums_of_few_bits_are_tables(tmp_path: Path) -> None:
    need("gcc")
    rng = np.random.default_rng(3)
    graphs = [sums(rng, "dense", "binary", "binary"), sums(rng, "conv2d", "binary", "bipolar")]
    graphs += [sums(rng, "conv2d", type, "binary", 2) for type in ("bipolar", "binary")]

    def allow(match: Match, kernel: Kernel, offer: Offer) -> bool:
        return kernel.name in ("lut_pins", "lut_slices")

    plans = [select(graph, "cortex-m4", allow=allow) for graph in graphs]
    assert [plan.calls[-1].kernel.name for plan in plans if len(plan.calls) == 1] == ["lut_pins"]
    check(plans, tmp_path)


def test_logic_is_the_table() -> None:
    rng = np.random.default_rng(0)
    address = np.arange(64)
    bits = {name: -(address >> k & 1) for k, name in enumerate("abcdef")}
    tables = rng.integers(0, 2, (40, 64)).astype(bool)
    tables[:4] = np.array([0 * address, 0 * address + 1, address >> 3 & 1, ~address >> 5 & 1], bool)
    for table, found in zip(tables, logic(tables), strict=True):
        names = dict(bits)
        for name, expression in found.lines:
            names[name] = eval(expression.replace("0u", "0"), {}, names)
        right = np.broadcast_to(eval(found.result.replace("0u", "0"), {}, names), 64) & 1
        np.testing.assert_array_equal(right, table)
    assert np.mean([found.operations for found in logic(tables)]) < 24


@pytest.mark.emulator
@pytest.mark.parametrize(("core", "most"), [("cortex-m0plus", 37_500), ("cortex-m4", 22_000)])
def test_mnist(core: str, most: int) -> None:
    """A quarter of what mnist-mlp-100 takes: 153,202 cycles on the M0+, 116,686 on the M4."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    plan = select(mnist_net(), core, budget=Budget(flash=24 * 1024))
    row = rows.measure_plan(plan, {"count": 1})
    assert row["mismatches"] == 0
    assert row["cycles"] <= most and row["flash_bytes"] <= 24 * 1024
    assert abs(row["estimated_cycles"] / row["cycles"] - 1) <= 0.1
    np.testing.assert_allclose(row["estimated_flash_bytes"], row["flash_bytes"], rtol=0.1)


@pytest.mark.emulator
@pytest.mark.system
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_a_quarter_of_the_fastest_other_network_of_this_size(core: str) -> None:
    """Both have at least 97.5 % on MNIST and at most 24 KB of flash."""
    need("arm-none-eabi-gcc", "unicorn", "capstone")
    found = {}
    for name in ("mnist-mlp-100", "mnist-tables-1000"):
        plan = select(zoo.load(name), core, budget=Budget(flash=24 * 1024))
        found[name] = rows.measure_plan(plan, {"count": 1, "compiler": "gcc"}, checked=1)
    tables = found["mnist-tables-1000"]
    assert 4 * tables["cycles"] <= found["mnist-mlp-100"]["cycles"]
    assert tables["flash_bytes"] <= 24 * 1024 and tables["mismatches"] == 0
