"""bench: layers by shape, explanations, boards; what it prints and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeternary.bench import rows
from edgeternary.run.result import Result
from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]

KEYS = {
    "layer", "mode", "core", "compiler", "optimize", "macs", "instructions_per_mac", "cycles_per_mac",
    "flash_bytes", "ram_bytes", "baseline_instructions_per_mac", "ratio", "mismatches",
}  # fmt: skip


@pytest.fixture
def tools() -> None:
    need("zig", "unicorn", "capstone")


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    "shape",
    ["conv2d:6x6x3-4,k3,s2", "dense:30-7", "depthwise:5x5x6,k3", "conv1d:12x4-5,k3", "pointwise:5x2x8-8"],
)
def test_any_shape(et: Call, shape: str) -> None:
    answer = et("bench", "--layer", shape, "--core", "m4", "--json")
    assert answer.code == 0, answer.err
    (row,) = answer.json()
    assert set(row) >= KEYS
    assert row["layer"] == shape and row["mode"] == "ternary x int8" and row["mismatches"] == 0
    assert row["instructions_per_mac"] == pytest.approx(row["instructions"] / row["macs"], rel=1e-3)
    assert row["ratio"] == pytest.approx(
        row["baseline_instructions_per_mac"] / row["instructions_per_mac"], rel=1e-2
    )


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    "mode", [("ternary", "ternary"), ("binary", "binary"), ("ternary", "2-bit"), ("int4", "uint8")]
)
def test_modes_and_cores(et: Call, mode: tuple[str, str]) -> None:
    weights, activations = mode
    chosen = ("--weights", weights, "--activations", activations)
    answer = et(
        "bench", "--layer", "dense:40-8", *chosen, "--core", "cortex-m0plus,m33", "--form", "B", "--json"
    )
    small, large = answer.json()
    assert small["mismatches"] == large["mismatches"] == 0
    assert small["cycles"] > 0 and large["cycles"] > 0 and large["ratio"]


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
def test_a_wrong_bit_is_counted(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rows.run_plan

    def wrong(plan: Any, inputs: np.ndarray, **more: Any) -> Result:
        result = real(plan, inputs, **more)
        outputs = result.outputs.copy()
        outputs[1].flat[-1] ^= 1
        return replace(result, outputs=outputs)

    monkeypatch.setattr(rows, "run_plan", wrong)
    answer = et("bench", "--layer", "dense:30-7", "--core", "m4", "--json")
    assert answer.json()[0]["mismatches"] == 1


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
def test_the_estimate_is_shown_beside_what_was_measured(et: Call, model: Path) -> None:
    found = et("bench", model, "--core", "m4", "--json").json()
    (total,) = found["totals"]
    assert total["estimate_error"] == pytest.approx(total["estimated_cycles"] / total["cycles"] - 1, abs=2e-3)
    assert all(row["estimated_cycles"] is not None for row in found["layers"] if row["kernel"])


def test_explain_lists_the_candidates(et: Call, model: Path) -> None:
    answer = et("bench", model, "--explain", "--core", "m4", "--json")
    assert answer.code == 0, answer.err
    found = answer.json()
    for layer in ("conv", "fc"):
        candidates = [row for row in found if row["layer"] == layer]
        chosen, *others = candidates
        assert chosen["verdict"] == "chosen" and others
        assert all(row["verdict"] != "chosen" for row in others)
        assert chosen["whole"] <= min(row["whole"] for row in others)


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
def test_wait_states(et: Call) -> None:
    """They add cycles, more without a prefetcher, and no instructions; the table names the error."""
    layer = ("bench", "--layer", "dense:40-8", "--core", "m4")
    (plain,), (waits,) = et(*layer, "--json").json(), et(*layer, "--flash-wait", "5:16", "--json").json()
    assert "cycles_most" not in plain and plain["instructions"] == waits["instructions"]
    assert plain["cycles"] < waits["cycles"] < waits["cycles_most"]
    assert waits["timing"] == "modelled, 5 wait states for 16 bytes of code, +-7 %"
    assert "cycles modelled, zero wait states, +-5 %" in et(*layer).err
    both = et("bench", "--layer", "dense:40-8", "--board", "pico", "--flash-wait", "1")
    assert both.code == 2 and "a board has wait states of its own" in both.err


@pytest.mark.emulator
@pytest.mark.usefixtures("tools")
def test_a_board_whose_flash_is_slow(et: Call) -> None:
    """More straight-line code than the cache of an RP2040 holds: from RAM it is faster, and takes RAM."""
    answer = et("bench", "--layer", "conv2d:8x8x32-64", "--board", "pico", "--json")
    assert answer.code == 0, answer.err
    in_flash, in_ram = answer.json()
    assert in_flash["mismatches"] == in_ram["mismatches"] == 0
    assert in_ram["in_ram"] == ["layer"] and in_flash["in_ram"] == []
    assert in_ram["cycles"] < 0.5 * in_flash["cycles"]
    assert in_ram["ms"] == pytest.approx(in_ram["cycles"] / 125_000, rel=1e-3)  # a Pico has 125 MHz
    assert in_ram["inferences_per_s"] == pytest.approx(1000 / in_ram["ms"], rel=1e-2)
    assert in_flash["cycles"] <= in_flash["cycles_most"] and in_ram["cycles_most"] < in_flash["cycles_most"]
    assert in_ram["ram_bytes"] > in_flash["ram_bytes"] + 16_384


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("--layer", "conv2d:8x8-4"), ("--layer", "dense:0-4"), ("--layer", "lstm:3-4"),
        ("--layer", "depthwise:8x8x4-3"), ("--layer", "dense:8-4,k3"), ("--layer", "conv2d:2x2x1-4,k3,valid"),
        ("--layer", "dense:8-4", "--weights", "float"), ("--layer", "dense:8-4", "--activations", "int32"),
        ("--layer", "dense:8-4", "--form", "D"), ("--layer", "dense:8-4", "--core", "m99"),
        ("--layer", "dense:8-4", "--board", "pico", "--core", "m4"),
    ],
)  # fmt: skip
def test_wrong_use(et: Call, arguments: tuple[str, ...]) -> None:
    assert et("bench", *arguments).code == 2


@pytest.mark.parametrize("what", [("MODEL",), ("--layer", "dense:300-75")])
def test_limits_are_those_of_compile(et: Call, model: Path, what: tuple[str, ...]) -> None:
    need("unicorn", "capstone")
    words = tuple(str(model) if word == "MODEL" else word for word in what)
    refused = et("bench", *words, "--core", "m4", "--max-flash", "100")
    assert refused.code == 5 and "--max-flash allows 100" in refused.err
    assert et("bench", *words, "--core", "m4", "--max-ram", "1M", "--json").code == 0
    assert et("bench", *words, "--core", "m4", "--max-ram", "1M", "--explain").code == 2
