"""Ctrl-C ends with 130, after the rows that are complete, and without a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer
from tests.need import need

Call = Callable[..., Answer]


def stopping(function: Callable[..., Any], after: int) -> Callable[..., Any]:
    """The function, interrupted when it has been called `after` times."""
    calls: list[int] = []

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return call


def interrupted(answer: Answer, rows: int) -> None:
    assert answer.code == 130 and "Traceback" not in answer.err
    assert answer.err.splitlines()[-1] == "interrupted"
    assert len(answer.json()) == rows


@pytest.mark.parametrize("option", [(), ("--compare",)])
def test_simulate(et: Call, model: Path, inputs: Path, monkeypatch: pytest.MonkeyPatch, option: Any) -> None:
    import edgeternary.run
    import edgeternary.run.compare

    words = ("simulate", model, "--inputs", inputs, "--on", "numpy,hdl,cxxrtl", "--json", *option)
    monkeypatch.setattr(edgeternary.run, "run", stopping(edgeternary.run.run, 1))
    monkeypatch.setattr(edgeternary.run.compare, "run", stopping(edgeternary.run.compare.run, 1))
    interrupted(et(*words), 1)


def test_bench(et: Call, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("zig|arm-none-eabi-gcc", "unicorn", "capstone")
    from edgeternary.bench import rows
    from edgeternary.run import cortex_m

    monkeypatch.setattr(cortex_m, "run_plan", stopping(cortex_m.run_plan, 1))
    answer = et("bench", model, "--core", "m4,m0plus", "--json")
    assert answer.code == 130 and [row["core"] for row in answer.json()["totals"]] == ["cortex-m4"]
    monkeypatch.setattr(rows, "measure_plan", stopping(rows.measure_plan, 1))
    interrupted(et("bench", "--layer", "dense:40-8", "--core", "m4,m0plus", "--json"), 1)


def test_zoo(et: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    import edgeternary.zoo.check
    from edgeternary.zoo import compiled

    row = {"accuracy": 1.0, "samples": 1000, "mismatches_torch": 0}
    monkeypatch.setattr("edgeternary.zoo.names", lambda: ("fashion-mlp", "mnist-mlp"))
    monkeypatch.setattr("edgeternary.zoo.card", lambda name: {"test_accuracy": 1.0})
    monkeypatch.setattr(edgeternary.zoo.check, "check", stopping(lambda *_: row, 1))
    answer = et("zoo", "--check", "--json")
    assert answer.code == 130 and answer.json()["name"] == "fashion-mlp"
    monkeypatch.setattr(compiled, "run", stopping(compiled.run, 2))  # the reference, and one executor
    interrupted(et("zoo", "fashion-mlp", "--on", "numpy,host", "--samples", "2", "--json"), 1)
