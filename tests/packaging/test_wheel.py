"""The wheel alone, in a fresh environment outside the checkout, compiles a model."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
Run = Callable[..., str]


def call(*command: object, cwd: Path) -> str:
    """Run a program outside the checkout, without this environment's paths."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--wheel", "--no-isolation", "--outdir", folder)
    call(sys.executable, "-m", "build", *options, CHECKOUT, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel. Its dependencies are found in this environment's site-packages.

    A path in a `.pth` file is not searched for further `.pth` files, so an editable install of the
    checkout stays invisible.
    """
    folder = tmp_path_factory.mktemp("fresh")
    call(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    python = folder / "env" / "bin" / "python"
    site = Path(
        call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    return folder


@pytest.mark.slow
def test_content(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "edgeternary/_data/templates/c/model.c.j2" in names
    assert any(name.startswith("edgeternary/_data/firmware/core/") for name in names)
    assert "edgeternary_hw/__init__.py" in names
    assert "edgeternary/boards/pico.toml" in names and "edgeternary/bench/int8.toml" in names
    assert not any(name.startswith(("benchmarks/", "tests/")) for name in names)
    assert "edgeternary/zoo/nets/fashion-mlp.et" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"edgeternary", "edgeternary_hw"} | {top for top in tops if top.endswith(".dist-info")}
    assert sum(info.file_size for info in zipfile.ZipFile(wheel).infolist()) < 11 * 2**20


@pytest.mark.slow
def test_installed_package_compiles_a_model(fresh: Path) -> None:
    program = fresh / "env" / "bin" / "edgeternary"
    python = fresh / "env" / "bin" / "python"
    where = call(python, "-c", "import edgeternary; print(edgeternary.__file__)", cwd=fresh).strip()
    assert Path(where).is_relative_to(fresh / "env")
    call(program, "compile", "zoo:fashion-mlp", "--core", "cortex-m4", "-o", "out", cwd=fresh)
    written = {path.name for path in (fresh / "out").iterdir()}
    assert {"fashion_mlp.c", "fashion_mlp.h"} <= written
    call(program, "simulate", "zoo:fashion-mlp", "--samples", "10", cwd=fresh)


@pytest.mark.slow
def test_installed_package_writes_verilog(fresh: Path) -> None:
    program = fresh / "env" / "bin" / "edgeternary"
    call(program, "export", "zoo:fashion-mlp", "--to", "verilog", "-o", "hw", cwd=fresh)
    assert any(path.suffix == ".v" for path in (fresh / "hw").iterdir())
