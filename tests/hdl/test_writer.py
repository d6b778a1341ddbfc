"""Verilog of every op and of random networks: Verilator does not warn, and Icarus gets numpy's answers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from edgeternary.hdl.emit import design_verilog
from edgeternary.hdl.folding import fold
from edgeternary.hdl.testbench import testbench as bench
from edgeternary.hdl.testbench import vectors
from edgeternary.hdl.top import Design, build
from edgeternary.hdl.writer.memories import contents
from edgeternary.ir import Graph
from edgeternary.ir.names import identifier
from edgeternary.run import run
from tests.full import FULL, pairs
from tests.need import need
from tests.registry.graphs import STATEFUL, WHOLE, chosen, inputs, kinds
from tests.registry.random_graphs import graphs, spiking_graphs, stateful_graphs
from tests.registry.test_hdl import REFUSED, case

pytestmark = pytest.mark.system


def lint(folder: Path, *files: str) -> None:
    command = ["verilator", "--lint-only", "-Wall", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert not done.returncode and not done.stderr, done.stderr


def simulated(folder: Path, *files: str) -> str:
    """What the bench, the first of the files, says."""
    command = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "bench", *files]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return subprocess.run(["vvp", "bench"], cwd=folder, capture_output=True, text=True).stdout.strip()


def write(design: Design, folder: Path, frames: int = 2) -> str:
    name = identifier(design.graph.name)
    codes = inputs(design.graph, frames)
    count = codes.shape[0] * (codes.shape[1] if design.graph.states else 1)
    texts = vectors(design, codes, run(design.graph, codes).outputs)
    texts |= {f"{name}.v": design_verilog(design), f"{name}_tb.v": bench(design, count)}
    for file, text in texts.items():
        (folder / file).write_text(text)
    return name


def agrees(graph: Graph, folder: Path, pace: int = 30) -> None:
    name = write(build(graph, fold(graph, pace)), folder)
    lint(folder, f"{name}.v")
    assert simulated(folder, f"{name}_tb.v", f"{name}.v").startswith("PASS")


@pytest.fixture(autouse=True)
def _tools() -> None:
    need("amaranth", "verilator", "iverilog")


@pytest.mark.parametrize("kind", kinds())
def test_every_example(kind: str, tmp_path: Path) -> None:
    for graph in chosen(kind)[: 2 if FULL else 1]:
        if case(graph) not in REFUSED:
            agrees(graph, tmp_path)


@pytest.mark.parametrize(("make", "pace"), pairs((*WHOLE, *STATEFUL), (512, 3)))
def test_whole_models(make: object, pace: int, tmp_path: Path) -> None:
    agrees(make(), tmp_path, pace)  # type: ignore[operator]


@settings(max_examples=2, phases=[Phase.generate], deadline=None)
@given(st.one_of(graphs(wide=False), stateful_graphs(), spiking_graphs()), st.sampled_from((512, 3)))
def test_random_models(tmp_path_factory: pytest.TempPathFactory, graph: Graph, pace: int) -> None:
    agrees(graph, tmp_path_factory.mktemp("random"), pace)


def test_a_changed_answer_fails(tmp_path: Path) -> None:
    design = build(WHOLE[0]())
    name = write(design, tmp_path)
    file = tmp_path / f"{name}_outputs.hex"
    words = file.read_text().split()
    words[1] = f"{int(words[1], 16) ^ 1:x}"
    file.write_text("\n".join(words))
    assert "FAIL: beat 1 is" in simulated(tmp_path, f"{name}_tb.v", f"{name}.v")


def test_names_and_comments(tmp_path: Path) -> None:
    """No escaped names; every module says what it is and what made it."""
    text = design_verilog(build(WHOLE[1]()))
    assert "\\" not in text and "$" not in re.sub(r"\$signed|\$random", "", text)
    modules = re.findall(r"(/\*(?:(?!\*/).)*\*/\n)module (\w+)", text, re.S)
    assert len(modules) == text.count("\nendmodule") and all("edgeternary" in head for head, _ in modules)
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("depth", [2, 512, 513, 2000])
def test_loops_set_every_word_of_a_deep_memory_once(depth: int) -> None:
    """Each loop is a block of its own, and none is long: yosys takes the square of a block's statements."""
    say: Any = SimpleNamespace(names=SimpleNamespace(memories={"m": "ring"}), loops=False)
    cell = SimpleNamespace(
        kind="$meminit_v2", memory="m", ports={"DATA": [SimpleNamespace(bits="10" * depth)]}
    )
    module: Any = SimpleNamespace(cells=[cell])
    memory: Any = SimpleNamespace(name="m", width=2, depth=depth)
    blocks = list(contents(say, module, memory))
    words: list[int] = []
    for (line,) in blocks:
        found = re.fullmatch(r"for \(k = (\d+); k < (\d+); k = k \+ 1\) ring\[k\] = 2'd2;", line)
        assert found and int(found[2]) - int(found[1]) <= 512
        words += range(int(found[1]), int(found[2]))
    assert words == list(range(depth)) and say.loops
