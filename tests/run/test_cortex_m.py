"""The emulated cores on a hand-written model: answers, taps, sizes, layers, and faults by name."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from edgeternary.cores import CORTEX_M
from edgeternary.errors import EdgeTernaryError
from edgeternary.ops import Lookup, build
from edgeternary.run import run as run_on
from edgeternary.run._options import Options
from edgeternary.run.cortex_m import execute
from edgeternary.run.result import Result
from tests.full import pairs
from tests.need import need
from tests.run import net

TOOLS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}
pytestmark = pytest.mark.emulator


def run(core: str, compiler: str = "zig", samples: int = 4, taps: bool = False, **options: int) -> Result:
    emulator = ("unicorn", "capstone") if CORTEX_M[core].unicorn else ("qemu-system-arm",)
    need(*emulator, TOOLS[compiler])
    tapped = net.model(taps=True) if taps else None
    chosen = Options(compiler=compiler, **options)  # type: ignore[arg-type]
    return execute(net.GRAPH, net.inputs(samples), core, net.model(), tapped, chosen)


@pytest.mark.parametrize(("core", "compiler"), pairs(list(CORTEX_M), list(TOOLS)))
def test_same_bits(core: str, compiler: str) -> None:
    result = run(core, compiler, taps=True)
    outputs, taps = net.reference(net.inputs(4))
    np.testing.assert_array_equal(result.outputs, outputs)
    assert set(result.taps) == set(taps)
    for name, expected in taps.items():
        np.testing.assert_array_equal(result.taps[name], expected)


def test_the_comparison_can_fail() -> None:
    need("unicorn", "capstone", "zig")
    wrong = net.model(replace=("- 400", "- 399"))
    x = net.inputs(300, steps=1)
    found = execute(net.GRAPH, x, "cortex-m4", wrong, None, Options(count=0)).outputs
    assert (found != net.reference(x)[0]).any()


@pytest.mark.parametrize("core", ("cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m55"))
def test_layers_add_up(core: str) -> None:
    result = run(core, count=2)
    rows = {str(row["name"]): row for row in result.layers}
    assert list(rows) == ["fc1", "sign1", "fc2", "net_run"]
    assert rows["fc1"]["kernel"] == "plain"
    for word in ("instructions", "cycles"):
        total = result.stats[word]
        assert sum(row[word] for row in rows.values()) == pytest.approx(total, abs=0.3)  # type: ignore[misc]
        assert rows["fc1"][word] > net.PIXELS * net.HIDDEN > rows["sign1"][word]  # type: ignore[operator]


def test_sizes() -> None:
    stats = run("cortex-m0plus").stats
    tables = 4 * 2 * net.HIDDEN + net.OUTPUTS * net.HIDDEN
    variables = (72 + 4 * net.OUTPUTS) + net.PIXELS + 4 * net.OUTPUTS  # net_t, input, output
    assert tables + 300 < stats["flash_bytes"] < tables + 4000  # type: ignore[operator]
    assert stats["ram_bytes"] - stats["stack_bytes"] in range(variables, variables + 13)  # type: ignore[operator]
    assert 16 <= stats["stack_bytes"] < 1024  # type: ignore[operator]


def test_counts_are_means_over_steps() -> None:
    one, two = run("cortex-m3", count=1).stats, run("cortex-m3", count=2).stats
    assert (one["counted"], two["counted"]) == (3, 6)
    assert run("cortex-m3", count=0).stats.get("instructions") is None


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("*(volatile uint32_t *)0x50000000u = 1u;", ("writes 0x50000000", "net_1_sign1")),
        ("*bits = *(volatile uint32_t *)0u;", ("reads 0x00000000", "net_1_sign1")),
        ('__asm volatile("udf #0");', ("Invalid instruction", "net_1_sign1")),
        ('__asm volatile("bkpt 0");', ("exception", "net_1_sign1")),
        (
            'uint32_t room[20000]; __asm volatile("str r0, [%0]" ::"r"(room));',
            ("below the stack", "net_1_sign1"),
        ),
        ('for (;;) __asm volatile("");', ("does not return", "net_1_sign1")),
    ],
)  # fmt: skip
def test_faults_name_the_function(statement: str, words: tuple[str, ...]) -> None:
    need("unicorn", "capstone", "zig")
    broken = net.model(replace=("uint32_t word = 0;", f"uint32_t word = 0; {statement}"))
    options = Options(count=0, timeout=0.5)
    with pytest.raises(EdgeTernaryError) as error:
        execute(net.GRAPH, net.inputs(1), "cortex-m4", broken, None, options)
    for word in words:
        assert word in str(error.value)


def test_no_samples() -> None:
    assert run("cortex-m4", samples=0).outputs.shape == (0, 3, net.OUTPUTS)


def test_compiler_messages_are_quoted() -> None:
    need("zig", "unicorn", "capstone")
    broken = replace(
        net.model(), sources={**net.model().sources, "net.c": '#include "net.h"\nint x = "a";\n'}
    )
    with pytest.raises(EdgeTernaryError, match=r"net\.c:2.*int") as error:
        execute(net.GRAPH, net.inputs(1), "cortex-m4", broken, None, Options())
    assert error.value.code == 1


@pytest.mark.system
@pytest.mark.parametrize("core", ("cortex-m0plus", "cortex-m4", "cortex-m55"))
def test_equal_layers_have_their_own_rows(core: str) -> None:
    """gcc makes one function of three equal ones; the counts are still told by layer."""
    need("unicorn", "capstone", "qemu-system-arm", "arm-none-eabi-gcc")
    entries = np.roll(np.arange(-128, 128, dtype=np.int32), 77)
    x, names = build.value("x", (50,), "int8"), ("x", "a", "b", "c")
    ops = [
        Lookup(name=name, inputs=(before,), table=entries, offset=-128, type="int8")
        for before, name in pairwise(names)
    ]
    rows = run_on(
        build.graph(x, *ops), np.zeros((1, 50), np.int32), on=core, options={"compiler": "gcc"}
    ).layers
    assert [row["name"] for row in rows] == ["a", "b", "c", "example_run"]
    assert len({row["instructions"] for row in rows[:3]}) == 1 and rows[0]["instructions"]
