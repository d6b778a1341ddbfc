"""Scripts as commands, in processes forked from one that has imported torch, which takes two seconds."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from tests.need import need

ROOT = Path(__file__).resolve().parents[2]
READY = [
    "torch",
    "torch.export._trace",
    "edgeternary.frontends.torch",
    "edgeternary.nn",
    "edgeternary.train",
    "edgeternary.zoo",
]
LIMIT = 600  # seconds


def command(
    script: Path, *words: object, before: str = "", folder: Path | None = None, **variables: object
) -> subprocess.CompletedProcess[str]:
    """Exit code, stdout and stderr of `python SCRIPT WORDS`.

    before     Python text that runs first
    folder     to work in
    variables  of the environment
    """
    need("torch")
    line, env = [str(script), *map(str, words)], {key: str(value) for key, value in variables.items()}
    context = get_context("forkserver")
    context.set_forkserver_preload(READY)
    with tempfile.TemporaryDirectory() as name:
        shown = [Path(name, "stdout"), Path(name, "stderr")]
        child = context.Process(target=_call, args=(line, {**os.environ, **env}, before, folder, shown))
        child.start()
        child.join(LIMIT)
        if child.is_alive():
            child.kill()
            child.join()
        assert child.exitcode is not None
        return subprocess.CompletedProcess(line, child.exitcode, *(path.read_text() for path in shown))


def _call(line: list[str], env: dict[str, str], before: str, folder: Path | None, shown: list[Path]) -> None:
    for stream, number, path in ((sys.stdout, 1, shown[0]), (sys.stderr, 2, shown[1])):
        stream.flush()
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder or ROOT)
    sys.argv = line
    sys.path[:0] = [str(Path(line[0]).parent)]
    exec(before, {})
    runpy.run_path(line[0], run_name="__main__")
