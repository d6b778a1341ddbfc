"""A core is one record: code asks for its facts, and a new record is all that a new core takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary import cores
from edgeternary.run import run
from edgeternary.toolchains import find
from tests.golden.models import cnn
from tests.need import need

SOURCE = Path(edgeternary.__file__).parent


@pytest.mark.slow
def test_a_core_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels, compiler and emulator take a Cortex-M0 from its record alone."""
    need("unicorn", "capstone", "zig|arm-none-eabi-gcc")
    plus = cores.CORES["cortex-m0plus"]
    added = replace(plus, name="cortex-m0", like=plus.name, zig="cortex_m0", gcc="cortex-m0")
    for table in (cores.CORES, cores.CORTEX_M):
        monkeypatch.setitem(table, added.name, added)
    graph = cnn()
    inputs = np.random.default_rng(1).integers(graph.input.lo, graph.input.hi + 1, (2, *graph.input.shape))
    compiler = "gcc" if find("arm-none-eabi-gcc").found else "zig"  # zig compiles its library first
    found, old = (run(graph, inputs, on=on, options={"compiler": compiler}) for on in (added.name, plus.name))
    np.testing.assert_array_equal(found.outputs, run(graph, inputs, on="numpy").outputs)
    assert found.stats["instructions"] == old.stats["instructions"]
    assert found.stats["cycles"] is None and "no timing model of cortex-m0" in str(found.stats["timing"])


@pytest.mark.slow
def test_code_asks_for_facts_and_not_for_names() -> None:
    assert not [place for file in SOURCE.rglob("*.py") for place in _names_compared(file)]


def _names_compared(file: Path) -> Iterator[str]:
    """Comparisons with the name of a core, and calls of startswith("cortex...")."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        tested: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            tested = [part for side in (node.left, *node.comparators) for part in _parts(side)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            tested = node.args if node.func.attr in ("startswith", "endswith") else []
        for part in tested:
            if isinstance(part, ast.Constant) and re.match(r"cortex-m\d|host$", str(part.value)):
                yield f"{file.relative_to(SOURCE)}:{part.lineno}"


def _parts(side: ast.expr) -> list[ast.expr]:
    return side.elts if isinstance(side, (ast.Tuple, ast.List, ast.Set)) else [side]
