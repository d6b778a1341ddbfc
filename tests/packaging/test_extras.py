"""The base install, [mcu], [fpga] and [train], each alone: everything works or ends with exit code 3, which
names the extra that is missing and the pip command. What each command needs is in the tables below.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from edgeternary.cli._app import app
from edgeternary.cli.export import FORMATS
from edgeternary.ir.file import save
from edgeternary.report.tiny import tiny_graph
from edgeternary.run import executors
from edgeternary.toolchains import extras
from tests.need import need

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("alone.py")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SETS = ("all", "dev")  # of other extras
ENVIRONMENTS = {"base": "", "mcu": "mcu", "fpga": "fpga", "train": "train"}
APT = "apt"  # in a table: a program that pip does not install
SOFTWARE = ("c", "make", "cmake", "platformio", "arduino", "zephyr", "cmsis-pack")

# A command: the extras that it needs, in the order in which they are missed; "slow" where it works, but not
# in seconds. MODEL, X, LM: files; OUT: a folder of its own.
COMMANDS: dict[str, str] = {
    "inspect MODEL": "",
    "boards": "",
    "boards pico": "",
    "doctor": "",
    "zoo": "",
    "zoo mnist-mlp-100": "",
    "zoo mnist-mlp-100 --check": "train slow",
    "zoo mnist-mlp-100 --on host --samples 1": "mcu slow",
    "summary MODEL --core cortex-m4": "",
    "summary zoo:mnist-mlp-100 --core host": "",
    "summary tests.frontends.nets:none --shape 4": "train slow",
    "simulate MODEL": "",
    "simulate MODEL --on host --compare": "mcu",
    "simulate MODEL --on cortex-m4 --compare": "mcu",
    "simulate MODEL --on cortex-m55 --compare": APT,
    "simulate MODEL --on qemu:mps2_an385": APT,
    "simulate MODEL --on hdl --samples 1 --compare": "fpga",
    "simulate MODEL --on cxxrtl": "fpga mcu slow",
    "simulate MODEL --on verilator": "fpga apt",
    "simulate MODEL --on netlist:ice40": "fpga mcu slow",
    "simulate MODEL --on bitstream:up5k": "fpga place slow",
    "simulate MODEL --on onnxruntime": "onnx",
    "simulate zoo:mnist-mlp-100 --on torch --samples 1": "train",
    "simulate zoo:mnist-mlp-100 --on original --samples 1": "train",
    "simulate MODEL --on qonnx --samples 1": "onnx",
    "simulate MODEL --on tflite --samples 1": "tflite",
    "prove MODEL --device up5k -o OUT": "fpga slow",
    "import none.nir": "nir",
    "import none.tflite": "tflite",
    "run MODEL --inputs X": "",
    "run MODEL --inputs X --on host": "mcu",
    "generate LM --prompt I --length 1": "",
    "generate LM --prompt I --length 1 --on host": "mcu slow",
    "generate LM --prompt I --length 1 --on hdl": "fpga slow",
    "compile MODEL --core cortex-m4 -o OUT": "",
    "compile MODEL --core host -o OUT": "",
    "compile MODEL --core cortex-m4 --build -o OUT": "mcu",
    "compile MODEL --board pico --no-build -o OUT": "",
    "compile MODEL --board pico -o OUT": "mcu slow",
    "compile MODEL --device up5k -o OUT": "fpga slow",
    "compile MODEL --device ice40 --build -o OUT": "fpga mcu slow",
    "compile MODEL --device up5k --build -o OUT": "fpga mcu place slow",
    "compile MODEL --board icebreaker --no-build -o OUT": "fpga slow",
    "compile MODEL --board icebreaker -o OUT": "fpga place slow",
    "report MODEL --json": "",
    "report MODEL --measure --samples 1 --json": "mcu",
    "report MODEL --device up5k --json": "fpga slow",
    "bench MODEL --core cortex-m4": "mcu",
    "bench MODEL --core cortex-m4 --explain": "",
    "bench --layer dense:64-10 --core cortex-m4": "mcu",
    "train zoo:mnist-mlp-100 --time": "train slow",
    "data": "",
    **{f"export MODEL --to {name} -o OUT": "" for name in SOFTWARE},
    "export MODEL --to onnx -o OUT": "onnx",
    "export MODEL --to qonnx -o OUT": "onnx",
    "export MODEL --to tflite -o OUT": "tflite",
    **{f"export MODEL --to {name} -o OUT": "fpga slow" for name in ("verilog", "cocotb", "vivado", "litex")},
}

START = "import edgeternary, numpy as np; graph = edgeternary.load(MODEL); x = np.load(X); "
PYTHON: dict[str, str] = {
    "graph.run(x)": "",
    "graph.run(x, on='host')": "mcu",
    "graph.run(x, on='cortex-m0plus')": "mcu",
    "graph.run(x[:1], on='hdl')": "fpga",
    "graph.run(x, on='onnxruntime')": "onnx",
    "graph.run(x, on='torch', torch_model=None)": "train slow",
    "edgeternary.compile(graph, core='cortex-m4')": "",
    "edgeternary.compile(graph, core='cortex-m4', build=True)": "mcu",
    "edgeternary.compile(graph, board='pico')": "",
    "edgeternary.compile(graph, device='up5k')": "fpga slow",
    "edgeternary.lower": "train",
    "edgeternary.nn.Conv2d": "train",
    "from edgeternary import nn": "train",
    "edgeternary.fit_bounds": "train",
    "edgeternary.zoo.load('mnist-mlp-100')": "",
    "edgeternary.zoo.torch_model('mnist-mlp-100')": "train",
    "edgeternary.testing.assert_bit_exact(graph, on=['host'], inputs=x)": "mcu",
    "from edgeternary.export.onnx import to_onnx; to_onnx(graph)": "onnx",
    "from edgeternary.frontends.nir import from_nir; from_nir('none.nir')": "nir",
}


@cache
def owners() -> Mapping[str, list[str]]:
    """The distributions that each module here comes from; it reads many files."""
    return importlib.metadata.packages_distributions()


@cache
def modules_of(requirement: str) -> set[str]:
    """The modules of a requirement: what its installed files say, else its name."""
    name = re.split(r"[<>=\[; ]", requirement, maxsplit=1)[0]
    found = {module for module, names in owners().items() if name.lower() in map(str.lower, names)}
    return found or {name.replace("-", "_")}


def declared() -> Iterator[tuple[str, str]]:
    """(extra, requirement) of pyproject.toml."""
    for extra, requirements in PROJECT["optional-dependencies"].items():
        if extra not in SETS:
            yield from ((extra, requirement) for requirement in requirements)


@pytest.mark.slow
def test_the_table_of_extras_is_that_of_the_project() -> None:
    left = dict(extras.MODULES)
    for extra, requirement in declared():
        found = {module for module in modules_of(requirement) if left.get(module) == extra}
        assert found, f"toolchains/extras.py does not say that {extra!r} installs {requirement}"
        for module in found:
            del left[module]
    assert not left, "no extra installs these"


def test_nothing_is_left_out() -> None:
    """Every verb, executor and export format is in the table.

    emulate, flash, verify and verify-build need a build, and check a file of budgets; demo has a test of its
    own in tests/cli/test_demo.py.
    """
    text = "\n".join(COMMANDS)
    others = {"emulate", "flash", "verify", "verify-build", "check", "demo"}
    verbs = set(app.list_commands(None)) - others  # type: ignore[arg-type]
    assert {command.split()[0] for command in COMMANDS} >= verbs
    for name in set(executors()) - {"serial", "numpy", "cortex-m"}:
        assert f"--on {name}" in text, name
    for name in FORMATS:
        assert f"--to {name} " in text, name


def hidden(environment: str) -> list[str]:
    """Modules that are not there when only the extra `environment` is installed."""
    kept = {
        module
        for extra, requirement in declared()
        if extra == ENVIRONMENTS[environment]
        for module in modules_of(requirement)
    }
    return sorted({m for extra, r in declared() for m in modules_of(r)} - kept)


def expected(needs: str, environment: str) -> str | None:
    """The first extra that is missing there, "" where the command works, None where that takes too long."""
    words = needs.split()
    missed = [word for word in words if word not in ("slow", ENVIRONMENTS[environment])]
    return missed[0] if missed else None if "slow" in words else ""


@pytest.mark.emulator
@pytest.mark.torch
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_alone(environment: str, tmp_path: Path) -> None:
    need("zig", "unicorn", "capstone", "amaranth", "torch")
    files = {"MODEL": "tiny.et", "X": "x.npy", "LM": f"{ROOT}/examples/matmulfree_lm/kjv.et"}
    save(tiny_graph(), tmp_path / "tiny.et")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 256, (2, 6, 6, 1), dtype=np.uint8))
    (tmp_path / "empty").mkdir()
    tables = [{text: expected(needs, environment) for text, needs in t.items()} for t in (COMMANDS, PYTHON)]
    commands, statements = ({text: e for text, e in table.items() if e is not None} for table in tables)

    def words(number: int, text: str) -> list[str]:
        return [files.get(word, f"out{number}" if word == "OUT" else word) for word in text.split()]

    work = {
        "hidden": hidden(environment),
        "commands": {text: words(i, text) for i, text in enumerate(commands)},
        "python": {
            text: START.replace("MODEL", "'tiny.et'").replace("X", "'x.npy'") + text for text in statements
        },
    }
    (tmp_path / "work.json").write_text(json.dumps(work))
    env = {**os.environ, "PATH": str(tmp_path / "empty"), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'hw'}"}
    done = subprocess.run(
        [sys.executable, SCRIPT, "work.json"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    print(done.stderr)  # processor seconds of each command
    answers = json.loads(done.stdout)
    for i, (text, missed) in enumerate({**commands, **statements}.items()):
        code, said = answers[text]
        assert code == (3 if missed else 0), f"{text}: {code}\n{said}"
        if missed == APT:
            assert "apt install" in said, said
        elif missed:
            assert extras.command(missed) in said, f"{text}: {said}"
            assert not (tmp_path / f"out{i}").exists(), f"{text} left something"
