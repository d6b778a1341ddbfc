"""Runs emulators as processes. Each is always ended; if one ends early, the error quotes its output."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from edgeternary.errors import EdgeTernaryError
from edgeternary.link.faults import Gone
from edgeternary.toolchains import Child

START_SECONDS = 30.0
QUOTED = 600  # characters of an emulator's output in an error


@contextmanager
def started(
    command: Sequence[str | Path],
    folder: Path,
    what: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in its own group, which is killed at the end of the block. Its output goes to folder/log.

    EdgeTernaryError if it cannot be started. If it ends and breaks the line, the error quotes its output.
    """
    with Path(folder, "log").open("wb") as log:
        out = log.fileno() if stdout is None else stdout
        with _start(command, folder, what, stdin, out, log, env) as process, _asked_to_end():
            try:
                yield process
            except Gone as error:
                time.sleep(0.1)  # the process may be ending
                if process.poll() is None:
                    raise
                why = _said(folder) or f"it ended with {process.returncode}"
                remedy = "start it again; see docs/firmware.md"
                raise EdgeTernaryError(f"{what} has ended", why, remedy) from error


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM raises an exception in this process, so that the emulator ends too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_for(path: Path, process: subprocess.Popen[bytes], what: str) -> None:
    """Waits until `path` exists. EdgeTernaryError if the process ends before, or takes too long."""
    end = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None:
            why = _said(path.parent) or f"exit code {process.returncode}"
            raise EdgeTernaryError(f"{what} ended at once", why)
        if time.monotonic() > end:
            raise EdgeTernaryError(f"{what} does not start", f"no socket after {START_SECONDS:g} s")
        time.sleep(0.01)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder whose path is short enough for a Unix socket (108 bytes, unix(7))."""
    base = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="et-", dir=base if len(base) < 60 else "/tmp") as name:
        yield Path(name)


def _start(
    command: Sequence[str | Path],
    folder: Path,
    what: str,
    stdin: int,
    stdout: int,
    log: IO[bytes],
    env: Mapping[str, str] | None,
) -> Child:
    try:
        return Child(
            command, stdin=stdin, stdout=stdout, stderr=log, cwd=folder, env={**os.environ, **(env or {})}
        )
    except OSError as error:
        raise EdgeTernaryError(f"{what} cannot be started", str(error)) from error


def _said(folder: Path) -> str:
    """The end of its log, without notes such as QEMU's about waiting for a connection."""
    lines = (folder / "log").read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if ": info: " not in line).strip()[-QUOTED:]
