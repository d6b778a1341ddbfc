"""Generated C in the executors: states, names that clash with the bench, and every layer tapped."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from edgeternary.ir import Graph, State, Value, parse
from edgeternary.ops.add import Add
from edgeternary.ops.requantize import Requantize
from edgeternary.run import run
from tests.full import pairs
from tests.need import need

EXECUTORS = (
    pytest.param("host", marks=pytest.mark.emulator),
    pytest.param("cortex-m0plus", marks=pytest.mark.emulator),
    pytest.param("cortex-m33", marks=pytest.mark.emulator),
    pytest.param("qemu:mps2_an385", marks=pytest.mark.system),
)
TOOLS = {"host": (), "cortex": ("unicorn", "capstone"), "qemu": ("qemu-system-arm",)}
CHANNELS = 5
# Names of files and symbols of the bench, of the C library, and of what the linker script defines.
CLASHES = (
    "bench",
    "bench_model",
    "memory",
    "string",
    "startup",
    "model",
    "main",
    "stack",
    "port",
    "taps",
    "x",
)


def leaky(name: str = "leaky") -> Graph:
    """state' = clamp((7 * (state + x)) >> 3, -100, 100), which is also the output."""
    x = Value("x", (CHANNELS,), parse("int6"), -32, 31)
    value = Value("charge", (CHANNELS,), parse("int8"), -100, 100)
    ones = np.ones(CHANNELS, np.int32)
    ops = (
        Add(name="sum", inputs=("charge", "x")),
        Requantize(
            name="leak", inputs=("sum",), m=7 * ones, b=0 * ones, s=3 * ones, zero=0, lo=-100, hi=100,
            rounding="floor", type="int8",
        ),
    )  # fmt: skip
    init = np.arange(CHANNELS, dtype=np.int32) - 2
    return Graph(name, x, ops, "leak", (State(value, init, "leak"),))


def available(executor: str) -> None:
    need(
        "zig|gcc" if executor == "host" else "zig|arm-none-eabi-gcc",
        *TOOLS[executor.split("-")[0].split(":")[0]],
    )


def inputs() -> np.ndarray:
    return np.random.default_rng(5).integers(-32, 32, (3, 6, CHANNELS))


def by_hand(x: np.ndarray) -> np.ndarray:
    state = np.broadcast_to(np.arange(CHANNELS) - 2, (len(x), CHANNELS))
    steps = []
    for step in range(x.shape[1]):
        state = np.clip((7 * (state + x[:, step])) >> 3, -100, 100)
        steps.append(state)
    return np.stack(steps, axis=1)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_states_live_between_steps_and_not_between_samples(executor: str) -> None:
    available(executor)
    x = inputs()
    result = run(leaky(), x, on=executor, taps=True)
    np.testing.assert_array_equal(result.outputs, by_hand(x))
    for name, tap in result.taps.items():
        assert tap.shape == (3, 6, CHANNELS), name
    backwards = run(leaky(), x[::-1], on=executor).outputs
    np.testing.assert_array_equal(backwards, by_hand(x)[::-1])


@pytest.mark.parametrize(
    ("name", "executor"),
    [
        pytest.param(name, *executor.values, marks=executor.marks)
        for name, executor in (*pairs(CLASHES, EXECUTORS[:1]), *pairs(CLASHES, EXECUTORS[1:]))
    ],
)
def test_names_that_the_bench_has_too(name: str, executor: str) -> None:
    """Each on this machine and on a core, whose bench is the same for all cores."""
    available(executor)
    x = inputs()[:1]
    result = run(leaky(name), x, on=executor, taps=True, options={"count": 0})
    np.testing.assert_array_equal(result.outputs, by_hand(x))


@pytest.mark.emulator
def test_hostile_layer_names() -> None:
    need("zig", "unicorn", "capstone")
    graph = leaky('net */ system("touch x"); /*')
    sneaky = "\"; \\ ' %s $(id) é"
    ops = (graph.ops[0], msgspec.structs.replace(graph.ops[1], name=sneaky))
    graph = replace(graph, ops=ops, outputs=(sneaky,), states=(replace(graph.states[0], next=sneaky),))
    x = inputs()[:1]
    for executor in ("host", "cortex-m4"):
        result = run(graph, x, on=executor, taps=True)
        np.testing.assert_array_equal(result.outputs, by_hand(x))
    assert [row["name"] for row in result.layers if row["kernel"]][-1] == sneaky


@pytest.mark.emulator
def test_progress_and_options() -> None:
    need("zig", "unicorn", "capstone")
    seen: list[tuple[int, int]] = []
    options = {"progress": lambda done, total: seen.append((done, total)), "count": 2}
    stats = run(leaky(), inputs(), on="cortex-m4", options=options).stats
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert stats["counted"] == 2 * 6 and stats["opt_level"] == "2"
    for bad in ({"count": -1}, {"count": "all"}, {"timeout": 0}, {"compiler": "tcc"}, {"opt_level": "fast"}):
        with pytest.raises(Exception) as error:
            run(leaky(), inputs(), on="cortex-m4", options=bad)
        assert getattr(error.value, "code", None) == 2, bad
