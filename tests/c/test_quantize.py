"""Sensor values become the same codes in Python, in C on this machine and on emulated cores, also at ties."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import edgeternary
from edgeternary.ir import Graph
from edgeternary.run import cortex_m, host
from edgeternary.run._bench import BenchModel
from edgeternary.run._options import Options
from tests.c.quantizers import ENDS, SIZE, by_hand, cases, program, sensor_values
from tests.full import FULL
from tests.need import need

CORES = ("cortex-m0plus", "cortex-m4", "cortex-m55", *(("cortex-m3", "cortex-m33") * FULL))


@cache
def prepared() -> tuple[np.ndarray, np.ndarray, Graph, BenchModel]:
    """Words that go into the program, the codes that must come out, and the program."""
    words, codes = [], []
    for index, graph in enumerate(cases()):
        values = sensor_values(graph, np.random.default_rng(index))
        bits = values.reshape(-1, SIZE).view(np.int32)
        words.append(np.concatenate([np.full((len(bits), 1), index, np.int32), bits], 1))
        codes.append(edgeternary.quantize(graph, values).reshape(-1, SIZE))
    return np.concatenate(words), np.concatenate(codes), *program(cases())


@pytest.mark.parametrize("graph", cases(), ids=lambda graph: graph.name)
def test_python_follows_the_definition(graph: Graph) -> None:
    values = sensor_values(graph, np.random.default_rng(1))
    codes = edgeternary.quantize(graph, values)
    assert_array_equal(codes, by_hand(graph, values))
    assert graph.input.type.contains(codes) and codes.dtype == np.int32
    assert_array_equal(edgeternary.quantize(graph, values[0]), codes[0])
    assert_array_equal(edgeternary.quantize(graph, values.astype(np.float64)), codes)
    assert_array_equal(edgeternary.run.run(graph, codes).outputs, codes.reshape(len(codes), SIZE))


def test_ties_are_met() -> None:
    """Each case but those of extreme scales meets ties that go up and ties that go down."""
    for graph in cases()[: len(cases()) // 2]:
        q = sensor_values(graph, np.random.default_rng(1)) / np.resize(graph.meta.input_scale, 3)
        with np.errstate(invalid="ignore"):
            ties = q[np.isfinite(q) & (abs(q) < 2**22) & (q % 1 == 0.5)]
        assert {0.0, 1.0} <= set((ties - 0.5) % 2) or graph.name.endswith(("_1", "_3", "_5"))


@pytest.mark.parametrize(("compiler", "opt_level"), [("gcc", "0"), ("clang", "1")])
def test_c_on_this_machine(compiler: str, opt_level: str) -> None:
    need(compiler)
    words, codes, graph, model = prepared()
    options = Options(compiler=compiler, opt_level=opt_level, sanitize=True)
    assert_array_equal(host.execute(graph, words, model, options).outputs, codes)


@pytest.mark.emulator
@pytest.mark.parametrize("core", CORES)
def test_c_on_an_emulated_core(core: str) -> None:
    need("zig|arm-none-eabi-gcc", "qemu-system-arm" if core == "cortex-m55" else "unicorn")
    words, codes, graph, model = prepared()
    ran = cortex_m.execute(graph, words, core, model, None, Options(count=0))
    assert_array_equal(ran.outputs, codes)


def test_another_tie_rule_is_caught() -> None:
    need("gcc")
    words, codes, graph, model = prepared()
    away = {name: text.replace("(whole & 1) != 0 ?", "1 ?") for name, text in model.sources.items()}
    found = host.execute(graph, words, BenchModel("probe", away), Options()).outputs
    assert np.any(found != codes)


# a bipolar input compares with 0, an int32 one leaves what float32 holds
@pytest.mark.torch
@pytest.mark.parametrize(
    "graph", [g for g in cases() if g.input.type.name not in ("bipolar", "int32")], ids=lambda g: g.name
)
def test_torch_says_the_same(graph: Graph) -> None:
    """clamp(round(x / scale) + zero) in float32, for what is a number."""
    torch = pytest.importorskip("torch")
    values = sensor_values(graph, np.random.default_rng(1))
    x = torch.from_numpy(values)
    scale = torch.tensor(graph.meta.input_scale, dtype=torch.float32)
    zero = torch.tensor(graph.meta.input_zero)
    said = torch.clamp(torch.round(x / scale) + zero, graph.input.lo, graph.input.hi)
    number = ~np.isnan(values)
    assert_array_equal(said.numpy()[number], edgeternary.quantize(graph, values)[number])


def test_nothing_but_numbers_of_the_shape() -> None:
    graph = cases()[0]
    assert edgeternary.quantize(graph, np.zeros((0, 2, 1, 3))).shape == (0, 2, 1, 3)
    assert_array_equal(edgeternary.quantize(graph, np.full((2, 1, 3), 7, np.uint8)), np.full((2, 1, 3), 31))
    for bad, message in (
        (np.zeros((4, 3, 2, 1)), r"channels first.*transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 3)), r"where torch flattened them"),
        (np.full((2, 1, 3), "a"), "real numbers"),
        (np.zeros((2, 1, 3), complex), "real numbers"),
    ):
        with pytest.raises(edgeternary.EdgeTernaryError, match=f"(?s){message}"):
            edgeternary.quantize(graph, bad)


def test_the_ends_of_float32() -> None:
    graph = cases()[0]
    rows = np.array(ENDS, np.float32)[:, None, None, None] * np.ones((2, 1, 3), np.float32)
    assert edgeternary.quantize(graph, rows)[:, 0, 0, 0].tolist() == [
        3, 3, 3, 3, 3, 255, 0, 255, 0, 255, 255, 0, 0
    ]  # fmt: skip
