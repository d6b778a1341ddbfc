"""Binary outputs that share additions: sums and differences."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from edgeternary.c.lanes import butterfly, thumb1, thumb2
from edgeternary.c.lanes.program import Load
from edgeternary.c.plan import Plan
from edgeternary.c.select import select
from edgeternary.ops import build
from edgeternary.run._model import of_plan
from edgeternary.run.cortex_m import run_plan
from edgeternary.run.numpy import run as reference
from tests.c.graphs import conv, followed
from tests.full import pairs
from tests.need import need

SIZES = (2, 3, 5, 8, 9, 10, 13)


def part(signs: np.ndarray) -> tuple[Load, ...]:
    """Words in turn, as two loads."""
    terms = tuple(tuple((i, int(sign)) for i, sign in enumerate(row)) for row in signs)
    return (Load(0, terms[:7]), Load(3, terms[7:]))


@pytest.mark.parametrize("size", SIZES)
def test_sums_and_differences(size: int) -> None:
    rng = np.random.default_rng(size)
    signs, words = rng.choice([-1, 1], (20, size)), rng.integers(-99, 99, 20)
    loads = butterfly.butterflies(part(signs), size)
    assert loads is not None
    sums = np.zeros(size, np.int64)
    count = 0
    for word, terms in zip(words, [terms for load in loads for terms in load.terms], strict=True):
        for index, sign in terms:
            sums[index] += sign * word
            count += 1
    for a in range(0, size - 1, 2):
        sums[a], sums[a + 1] = sums[a] + sums[a + 1], sums[a] - sums[a + 1]
    np.testing.assert_array_equal(sums, words @ signs)
    assert count == 20 * (-(-size // 2))


def test_others_are_added_as_they_are() -> None:
    """A zero, a weight of two, few words, a single output."""
    signs = np.ones((20, 4), np.int64)
    missing = part(signs)[0], Load(0, (*part(signs)[1].terms[:-1], ((0, 1), (1, 1), (3, 1))))
    double = part(np.where(np.arange(20)[:, None] == 5, 2, signs))
    assert butterfly.butterflies(part(signs), 4) is not None
    for loads, size in ((missing, 4), (double, 4), (part(signs[:5]), 4), (part(signs[:, :1]), 1)):
        assert butterfly.butterflies(loads, size) is None


def layer(outputs: int, type: str, follow: str, core: str = "cortex-m4") -> Plan:
    """Of which the first two outputs have equal weights, and the next two opposite ones."""
    rng = np.random.default_rng(outputs)
    x = build.value("x", (5, 4, 3), type)
    op = conv(rng, x, outputs, "bipolar", "c")
    op.weights[1 % outputs], op.weights[3 % outputs] = op.weights[0], -op.weights[2 % outputs]
    graph = followed(build.graph(x, op), follow, rng)
    return select(graph, core, allow=lambda match, kernel, offer: "lanes" in kernel.name or not match.ops)


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("kind", "core"),
    pairs(
        [("int8", "A"), ("bipolar", "bipolar"), ("uint8", "B"), ("ternary", "uint2")],
        ["cortex-m0plus", "cortex-m4"],
    ),
)
def test_assembly(kind: tuple[str, str], core: str) -> None:
    type, follow = kind
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    for outputs in SIZES[:: 2 if type == "int8" else 3]:
        plan = layer(outputs, type, follow, core)
        assert "sums and differences" in "".join(of_plan(plan).sources.values())
        check(plan)


@pytest.mark.emulator
@pytest.mark.parametrize(("core", "module"), [("cortex-m0plus", thumb1), ("cortex-m4", thumb2)])
def test_a_fault_is_seen(core: str, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Differences with the wrong sign."""
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    parted = module._parted

    def faulty(*given: object) -> list[str]:
        return [line.replace("sub", "add") for line in parted(*given)]  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_parted", faulty)
    with pytest.raises(AssertionError):
        check(layer(9, "int8", "A", core))


def check(plan: Plan) -> None:
    codes = build.samples(np.random.default_rng(4), plan.graph.input, 5)
    found = run_plan(plan, codes, options={"count": 0, "compiler": "auto"}).outputs
    np.testing.assert_array_equal(found, reference(plan.graph, codes).outputs)
