"""Instructions on an emulated core: what the packed kernels promise."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.ops import build
from edgeternary.run import run
from tests.c.graphs import cnn, mlp
from tests.need import need

COMPILERS = [
    pytest.param("zig", marks=pytest.mark.emulator),
    pytest.param("gcc", marks=[pytest.mark.emulator, pytest.mark.system]),
]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("core", "weights", "act", "limit"),
    [
        ("cortex-m4", "bipolar", "bipolar", 0.45),
        ("cortex-m0plus", "bipolar", "bipolar", 0.65),
        ("cortex-m4", "ternary", "bipolar", 0.60),
        ("cortex-m0plus", "ternary", "bipolar", 0.85),
    ],
)
def test_dense_784_256(core: str, weights: str, act: str, limit: float, compiler: str) -> None:
    """Packing of the natural input and the int32 outputs included; the target is 0.6 on M4, 0.9 on M0+."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    graph = mlp(weights, act, (784, 256), "bipolar")
    inputs = build.samples(np.random.default_rng(0), graph.input, 3)[2:]
    result = run(graph, inputs, on=core, options={"compiler": compiler})
    np.testing.assert_array_equal(result.outputs, run(graph, inputs).outputs)
    instructions = result.stats["instructions"]
    assert isinstance(instructions, int)
    assert instructions / graph.macs() <= limit


@pytest.mark.parametrize("compiler", COMPILERS)
def test_ram_of_a_cnn(compiler: str) -> None:
    """Arena and measured stack of the shape that ships."""
    need("unicorn", "capstone", "zig" if compiler == "zig" else "arm-none-eabi-gcc")
    graph = cnn("ternary", "uint2", 28, (16, 32, 64))
    inputs = build.samples(np.random.default_rng(0), graph.input, 3)[2:]
    result = run(graph, inputs, on="cortex-m4", options={"compiler": compiler, "optimize": "ram"})
    np.testing.assert_array_equal(result.outputs, run(graph, inputs).outputs)
    ram = result.stats["ram_bytes"]
    assert isinstance(ram, int) and ram <= 16 * 1024
