"""compile --max-flash, --max-ram, --max-cycles: plans that keep limits, and refusals that help."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]
CNN = ("compile", "zoo:fashion-cnn", "--core", "cortex-m4", "-o", "out", "--json")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("optimize", ["cycles", "flash", "ram"])
def test_objectives_and_limits(et: Call, optimize: str) -> None:
    free = et(*CNN).json()["estimates"]
    limits = ("--max-flash", "20k", "--max-ram", "12k", "--max-cycles", "2M")
    answer = et(*CNN, "--optimize", optimize, *limits)
    assert answer.code == 0, answer.err
    kept = answer.json()["estimates"]
    assert kept["estimated_flash_bytes"] <= 20 * 1024 < free["estimated_flash_bytes"]
    assert kept["static_ram_bytes"] <= 12 * 1024
    assert free["estimated_cycles"] <= kept["estimated_cycles"] <= 2_000_000


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (("--max-flash", "2k"), r"conv3 does not fit: .* bytes of flash, --max-flash allows 2,048"),
        (("--max-ram", "2k"), r"does not fit: needs [\d,]+ bytes of RAM, --max-ram allows 2,048"),
        (("--max-cycles", "10k"), r"is too slow: .* cycles, --max-cycles allows 10,000"),
        (("--max-flash", "12k", "--max-cycles", "550k"), r"no plan of fashion-cnn keeps all limits together"),
    ],
)
def test_refusals_name_the_layer_and_what_would_help(et: Call, limit: tuple[str, ...], words: str) -> None:
    answer = et(*CNN, *limit)
    assert answer.code == 5
    assert re.search(words, answer.err), answer.err
    assert "try:" in answer.err and not Path("out").exists()


def test_the_limit_that_a_refusal_names_would_do(et: Call) -> None:
    limits = ("--max-flash", "12k")
    answer = et(*CNN, *limits, "--max-cycles", "550k")
    named = re.search(r"--max-cycles (\d+k)", answer.err)
    assert named and et(*CNN, *limits, "--max-cycles", named[1]).code == 0


@pytest.mark.emulator
def test_measured_figures_keep_the_limits(et: Call) -> None:
    need("zig", "unicorn", "capstone")
    answer = et(*CNN, "--build", "--max-flash", "24k", "--max-ram", "10k")
    assert answer.code == 0, answer.err
    measured = answer.json()["measured"]
    assert measured["flash_bytes"] <= 24 * 1024 and measured["ram_bytes"] <= 10 * 1024


def test_limits_are_for_cores(et: Call, model: Path) -> None:
    assert et("compile", model, "--device", "ice40", "--max-ram", "4k").code == 2
