"""What pip installs: the base; then the packages of the extra that a message names are added to it."""

from __future__ import annotations

import importlib.metadata as packages
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeternary.toolchains import cache
from tests.need import REQUIRED

CHECKOUT = Path(__file__).resolve().parents[2]
ENV = {"HOME": "/nowhere", "OMP_NUM_THREADS": "1"}


def call(environment: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A program of the environment, which finds no other one on its PATH."""
    program = [str(environment / "bin" / command[0]), *command[1:]]
    env = {**ENV, "PATH": str(environment / "bin"), "XDG_CACHE_HOME": str(cache.directory().parent)}
    return subprocess.run(program, cwd=environment, env=env, capture_output=True, text=True)


def install(environment: Path, *arguments: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            environment / "bin" / "python",
            "install",
            "--quiet",
            *arguments,
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        (pytest.fail if REQUIRED else pytest.skip)(f"pip cannot install: {done.stderr[-300:]}")


def add(environment: Path, extra: str) -> None:
    """The packages that an extra of the installed one names, as they lie here: zig alone has 19,000 files."""
    asked = "from importlib.metadata import requires; print(*requires('edgeternary'), sep='\\n')"
    named = re.findall(
        rf"^([\w-]+).*extra == '{extra}'$", call(environment, "python", "-c", asked).stdout, re.M
    )
    assert named
    for place in environment.glob("lib/python*/site-packages"):
        for name in named:
            package = packages.distribution(name)
            for top in {file.parts[0] for file in package.files or ()} - {".."}:
                (place / top).symlink_to(str(package.locate_file(top)))


@pytest.mark.slow
@pytest.mark.emulator
def test_base_then_what_the_message_says(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    install(tmp_path, str(CHECKOUT))
    wanted = ["edgeternary", "compile", "zoo:mnist-mlp-binary-64", "--core", "cortex-m4"]
    done = call(tmp_path, *wanted, "-o", "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "mnist_mlp_binary_64.c").is_file()
    assert call(tmp_path, "edgeternary", "summary", "zoo:mnist-mlp-binary-64").returncode == 0
    missing = call(tmp_path, *wanted, "--build", "-o", "built")
    assert missing.returncode == 3 and "unexpected" not in missing.stderr
    assert "pip install 'edgeternary[mcu]'" in missing.stderr
    add(tmp_path, "mcu")
    done = call(tmp_path, *wanted, "--build", "-o", "built")
    assert done.returncode == 0, done.stderr
    simulate = ["edgeternary", "simulate", "zoo:mnist-mlp-binary-64", "--samples", "5", "--compare"]
    assert call(tmp_path, *simulate, "--on", "host,cortex-m0plus").returncode == 0
    for hardware in (["export", "zoo:mnist-mlp-100", "--to", "verilog"], [*simulate[1:], "--on", "hdl"]):
        missing = call(tmp_path, "edgeternary", *hardware)
        assert missing.returncode == 3
        assert "pip install 'edgeternary[fpga]'" in missing.stderr
