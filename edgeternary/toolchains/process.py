"""Runs external programs without standard input and with a time limit. Errors quote the program."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgeternary.errors import EdgeTernaryError, TimedOut
from edgeternary.toolchains.child import Child

QUOTED_LINES = 15
LOOK = 0.5  # seconds between checks whether a silent program has ended


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    timeout: float = 600.0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    remedy: str = "",
) -> str:
    """Runs a program to its end and returns its output (stdout and stderr).

    what     the job in words, which begins the text of an error
    timeout  seconds after which the program and its children are killed; they also end with this process
    env      variables that are added to the environment of this process
    TimedOut if the program exceeds the limit; EdgeTernaryError if it cannot start, or exits with another
    code than 0.
    """
    with _start(command, what, cwd, {**os.environ, **(env or {})}) as process:
        output = _output(process, timeout)
        if output is None:
            raise TimedOut(
                f"{what} did not finish",
                f"{command[0]} ran longer than {timeout:g} s",
                remedy or "raise the limit, or use a smaller model",
            )
    if process.returncode != 0:
        raise EdgeTernaryError(
            f"{what} failed",
            f"{Path(str(command[0])).name} {_status(process.returncode)}:\n{_quote(output)}\n",
            remedy,
        )
    return output


def _start(command: Sequence[str | Path], what: str, cwd: Path | None, env: Mapping[str, str]) -> Child:
    try:
        return Child(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise EdgeTernaryError(f"{what} failed", f"cannot start {command[0]}: {error}") from error


def _output(process: Child, timeout: float) -> str | None:
    """The output of a program; None if it takes too long.

    When the program has ended, its children may still hold its output open. They are ended too.
    """
    end = time.monotonic() + timeout
    while (left := end - time.monotonic()) > 0:
        try:
            return str(process.communicate(timeout=min(left, LOOK))[0])
        except subprocess.TimeoutExpired:
            if process.poll() is not None:
                process.end()
    return None


def _status(code: int) -> str:
    if code < 0:
        return f"was ended by signal {signal.Signals(-code).name}"
    return f"exited with {code}"


def _quote(output: str) -> str:
    """The first and the last lines: compilers print the cause first, other programs print it last."""
    lines = output.strip().splitlines()
    left = len(lines) - 2 * QUOTED_LINES
    if left > 0:
        lines[QUOTED_LINES:-QUOTED_LINES] = [f"[{left} lines left out]"]
    return "\n".join(lines)
