"""README.md of a compiled folder: its example compiles and runs, and what it names is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import edgeternary
from edgeternary.ir import Graph
from edgeternary.report.tiny import tiny_graph
from tests.need import need
from tests.registry.graphs import STATEFUL
from tests.registry.several import two_heads
from tests.report.nets import EVIL, residual


def written(graph: Graph, folder: Path, **target: str) -> str:
    edgeternary.compile(graph, **target, directory=folder)
    return (folder / "README.md").read_text(encoding="utf-8")


def files(text: str) -> set[str]:
    table = text.split("## What is what")[1].split("##")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", table, re.M))


GRAPHS = [tiny_graph, STATEFUL[0], two_heads, lambda: residual(EVIL, title=EVIL[4])]


@pytest.mark.parametrize("make", GRAPHS, ids=["tiny", "states", "several", "hostile"])
def test_the_example_compiles_and_runs(make: object, tmp_path: Path) -> None:
    need("gcc")
    assert callable(make)
    text = written(make(), tmp_path / "out", core="host")
    (source,) = re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "out" / "main.c").write_text(source, encoding="utf-8")
    strict = "-Wall -Wextra -pedantic -Werror"
    (command,) = re.findall(r"^cc (.*) && ./example$", text, re.M)
    subprocess.run(["gcc", *strict.split(), *command.split()], cwd=tmp_path / "out", check=True)
    ran = subprocess.run([tmp_path / "out" / "example"], capture_output=True, text=True, check=True)
    assert re.search(r"\[0\] = -?\d+", ran.stdout)
    assert {path.name for path in (tmp_path / "out").iterdir()} - {"main.c", "example"} == {
        *files(text), "README.md"
    }  # fmt: skip


def test_the_output_of_the_example_is_the_model_s(tmp_path: Path) -> None:
    need("gcc")
    graph = tiny_graph()
    text = written(graph, tmp_path / "out", core="cortex-m4")
    (source,) = re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)
    (tmp_path / "out" / "main.c").write_text(source, encoding="utf-8")
    subprocess.run(["gcc", "-O2", "-o", "example", "main.c", "tiny.c"], cwd=tmp_path / "out", check=True)
    ran = subprocess.run([tmp_path / "out" / "example"], capture_output=True, text=True, check=True)
    answers = [int(number) for number in re.findall(r"^out\[\d+\] = (-?\d+)$", ran.stdout, re.M)]

    expected = graph.run(np.zeros((1, 6, 6, 1), np.int32)).outputs[0]
    np.testing.assert_array_equal(answers, expected)
    assert f"class {expected.argmax()}" in ran.stdout


def test_a_folder_of_verilog_keeps_its_ports(tmp_path: Path) -> None:
    need("amaranth")
    text = written(tiny_graph(), tmp_path / "out", device="up5k")
    assert "## Ports" in text and "| `i__valid`, `i__ready` |" in text
    assert "edgeternary compile MODEL --device up5k --build" in text.split("## What comes next")[1]


def test_a_board_with_an_fpga(tmp_path: Path) -> None:
    need("amaranth")
    text = written(tiny_graph(), tmp_path / "out", board="icebreaker")
    assert files(text) == {path.name for path in (tmp_path / "out").iterdir()} - {"README.md"}
    assert "## Ports" in text and "`top.v` is the whole design" in text
