"""The way through pip alone runs where there are no POSIX calls: what Windows lacks is taken away here.

os.killpg stays: toolchains.child asks os.name before it calls it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from edgeternary.ir.file import save
from tests.faults.small import small

LACKING = """
import builtins, os, signal, sys
for name in ("fork", "forkpty", "setsid", "getpgid", "setpgid", "symlink", "mkfifo", "getuid", "fchmod"):
    if hasattr(os, name):
        delattr(os, name)
real = builtins.__import__
def without(name, *rest, **more):
    if name.partition(".")[0] in ("pwd", "grp", "fcntl", "termios", "tty", "pty", "resource"):
        importer = (rest[0] if rest else more.get("globals")) or {}
        if str(importer.get("__name__", "")).startswith("edgeternary"):
            raise ImportError(name, name=name)
    return real(name, *rest, **more)
builtins.__import__ = without
from edgeternary import cli
for line in sys.argv[1].splitlines():
    code = cli.call(line.split())
    assert code == 0, (line, code)
"""
LINES = """compile n.et --core m4 -o out
verify-build out
simulate n.et --on numpy,host --samples 2
boards pico
inspect n.et"""


def test_no_posix_calls_are_needed(tmp_path: Path) -> None:
    save(small(), tmp_path / "n.et")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", LACKING, LINES], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
