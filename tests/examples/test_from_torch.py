"""The scripts from a float model to firmware, on a few images and with small networks.

Two of them run; EDGETERNARY_FULL=1 runs all five.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from tests.examples.script import ROOT, command
from tests.need import need

FOLDER = ROOT / "examples" / "from_torch"
SMALL = {"mobilenet_v2": [16, 8, 8, 8, 8, 8, 8, 8], "resnet18": [4, 4, 8]}  # widths of the layers
SCRIPTS = ("autoencoder", "mobilenet_v2", "resnet18", "tcn", "two_heads")
RUN = SCRIPTS if os.environ.get("EDGETERNARY_FULL") else ("autoencoder", "two_heads")
QUICK = """
import runpy, sys
import edgeternary
from edgeternary import testing, zoo
from edgeternary.build import project

exact, compiled, given = testing.assert_bit_exact, project.compile, zoo.images
options = {"compiler": "gcc", "opt_level": "0", "count": 0}
testing.assert_bit_exact = lambda graph, on, x: exact(graph, on, x[:1], options=dict.fromkeys(on, options))
project.compile = lambda *args, **named: compiled(*args, **named, compiler="gcc")
zoo.images = lambda name: tuple(array[:64] for array in given(name))
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.torch
@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_from_a_float_model_to_firmware(name: str, tmp_path: Path) -> None:
    need("gcc", "arm-none-eabi-gcc", "unicorn")
    (tmp_path / "quick.py").write_text(QUICK)
    (tmp_path / f"{name}.py").write_text(_small(name))
    done = command(tmp_path / "quick.py", f"{name}.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'flash_bytes'" in done.stdout
    assert "before training" in done.stderr  # the report of the conversion
    assert list((tmp_path / name).glob("*.hex"))


def _small(name: str) -> str:
    """The script, with other `widths` where it has them."""
    tree = ast.parse((FOLDER / f"{name}.py").read_text())
    found = 0
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "widths":
            node.value = ast.Constant(SMALL[name])
            found += 1
    assert found == (name in SMALL)
    return ast.unparse(tree)


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_has_under_40_lines(name: str) -> None:
    assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 40
