"""Commands that are killed, or find the disk full or read-only, at each of their file operations in turn.

What was there before stays or is replaced whole, nothing half-written stays, one error says why, and after a
kill the same command works.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeternary.ir.file import save
from tests.faults.small import small
from tests.full import FULL

ALL = "killed,full,readonly,short"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits the size of files")


def faulty(folder: Path, faults: str, command: str, most: int = 120) -> list[str]:
    """The files that the command makes, after each fault of each operation."""
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.moments", str(folder), faults, *command.split()],
        capture_output=True, text=True, env=env, timeout=most,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for fault in faults.split(","):
        assert found[fault]["wrong"] == []
        assert found[fault]["operations"] >= 3
        assert set(found[fault]["codes"]) <= ({137} if fault.startswith("killed") else {0, 1})
    return [str(name) for name in found["made"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "work"
    found.mkdir()
    save(small(), found / "small.et")
    return found


def test_compile(folder: Path) -> None:
    made = faulty(folder, ALL, "compile small.et --core m4 -o out")
    assert {"out/little.c", "out/report.html", "out/edgeternary.json"} <= set(made)


def test_compile_over_an_older_build(folder: Path) -> None:
    import edgeternary

    edgeternary.compile(small(), core="host").write(folder / "out")
    assert "out/little.c" in faulty(folder, "killed,full", "compile small.et --core m0plus -o out")


def test_export_a_folder(folder: Path) -> None:
    assert "lib/Makefile" in faulty(folder, "killed,short", "export small.et --to make -o lib")


def test_report(folder: Path) -> None:
    assert faulty(folder, ALL, "report small.et -o r.html") == ["r.html"]


def test_import(folder: Path) -> None:
    pytest.importorskip("tflite")
    from tests.frontends.tflite_files.drawn import network

    (folder / "n.tflite").write_bytes(network(0))
    (folder / "n.et").write_bytes(b"an older one")
    assert faulty(folder, ALL, "import n.tflite -o n.et") == ["n.et"]


def test_outputs(folder: Path) -> None:
    np.save(folder / "x.npy", np.zeros((2, 4), np.uint8))
    assert faulty(folder, ALL, "run small.et --inputs x.npy --on numpy --output y.npy") == ["y.npy"]


@pytest.mark.torch
@pytest.mark.slow
def test_train(folder: Path) -> None:
    """The card is the last file; a run that was killed goes on from its checkpoint."""
    pytest.importorskip("torch")
    from tests.train.stripes import TOML

    (folder / "r.toml").write_text(TOML.replace("epochs = 6", "epochs = 1"))
    made = faulty(folder, "killed/6" if FULL else "killed/12", "train r.toml -o trained", 400)
    assert {"trained/stripes.et", "trained/stripes.json"} <= set(made)
