"""The host executor: same bits with each compiler, taps, and sanitizers that find what they are for."""

from __future__ import annotations

import numpy as np
import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._options import Options
from edgeternary.run.host import execute
from tests.need import need
from tests.run import net

TOOLS = {"zig": "zig", "gcc": "gcc", "clang": "clang"}
COMPILERS = (
    pytest.param("zig", marks=pytest.mark.emulator),
    pytest.param("gcc", marks=pytest.mark.system),
)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("optimize", ("1", "3"))  # at -O0, zig builds its libraries again: 16 s
def test_same_bits(compiler: str, optimize: str) -> None:
    need(TOOLS[compiler])
    x = net.inputs(50)
    result = execute(net.GRAPH, x, net.model(taps=True), Options(compiler=compiler, opt_level=optimize))
    outputs, taps = net.reference(x)
    np.testing.assert_array_equal(result.outputs, outputs)
    for name, expected in taps.items():
        np.testing.assert_array_equal(result.taps[name], expected)
    assert str(result.stats["compiler"]).startswith(compiler)


@pytest.mark.system
@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("acc[sizeof(net_t) / 2u] = 1;", "AddressSanitizer"),
        ("acc[0] = (int16_t)(sum << 31 << in[0]);", "runtime error"),
    ],
)
def test_sanitizers(statement: str, word: str) -> None:
    need("gcc")
    x = net.inputs(1)
    options = Options(compiler="gcc", sanitize=True)
    np.testing.assert_array_equal(execute(net.GRAPH, x, net.model(), options).outputs, net.reference(x)[0])
    broken = net.model(replace=("acc[r] = (int16_t)sum;", f"acc[r] = (int16_t)sum; {statement}"))
    with pytest.raises(EdgeTernaryError, match=word):
        execute(net.GRAPH, x, broken, options)


def test_zig_has_no_sanitizers() -> None:
    with pytest.raises(EdgeTernaryError, match="AddressSanitizer") as error:
        execute(net.GRAPH, net.inputs(1), net.model(), Options(compiler="zig", sanitize=True))
    assert error.value.code == 2


@pytest.mark.emulator
def test_a_crash_and_a_hang_are_errors() -> None:
    need("zig")
    for statement, word in (("__builtin_trap();", "signal"), ("for (;;) { }", "longer than")):
        broken = net.model(replace=("*bits = word;", f"*bits = word; {statement}"))
        with pytest.raises(EdgeTernaryError, match=word):
            execute(net.GRAPH, net.inputs(1), broken, Options(compiler="zig", timeout=2.0))


def test_no_samples() -> None:
    assert execute(net.GRAPH, net.inputs(0), net.model(), Options()).outputs.shape == (0, 3, net.OUTPUTS)
