"""Starting external programs: no standard input, a time limit, and errors that quote the program."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgeternary.errors import EdgeTernaryError

QUOTED_LINES = 15


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    timeout: float = 600.0,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    remedy: str = "",
) -> str:
    """Run a program to its end and return what it printed (stdout and stderr).

    what     the job in words, the first sentence of an error
    timeout  seconds, after which the program and its children are killed
    env      variables added to this process's environment

    Raises EdgeTernaryError when the program cannot start, exceeds the limit or exits non-zero.
    """
    process = _start([str(part) for part in command], what, cwd, {**os.environ, **(env or {})})
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise EdgeTernaryError(
            f"{what} did not finish",
            f"{command[0]} ran longer than {timeout:g} s",
            remedy or "raise the limit or use a smaller model",
        ) from None
    except BaseException:
        _kill(process)
        raise
    if process.returncode != 0:
        raise EdgeTernaryError(
            f"{what} failed",
            f"{Path(str(command[0])).name} {_status(process.returncode)}:\n{_quote(output)}\n",
            remedy,
        )
    return output


def _start(command: list[str], what: str, cwd: Path | None, env: Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise EdgeTernaryError(f"{what} failed", f"cannot start {command[0]}: {error}") from error


def _kill(process: subprocess.Popen[str]) -> None:
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    else:
        process.kill()
    process.communicate()


def _status(code: int) -> str:
    if code < 0:
        return f"was ended by signal {signal.Signals(-code).name}"
    return f"exited with {code}"


def _quote(output: str) -> str:
    """The first and the last lines: compilers say what matters first, other programs last."""
    lines = output.strip().splitlines()
    left = len(lines) - 2 * QUOTED_LINES
    if left > 0:
        lines[QUOTED_LINES:-QUOTED_LINES] = [f"[{left} lines left out]"]
    return "\n".join(lines)
