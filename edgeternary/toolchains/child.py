"""Processes that end with this one, whatever ends it: with SIGKILL no line of Python runs any more."""

import multiprocessing
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# Waits for the end of its input, which this process alone can write to, then kills its group.
GUARD = ("/bin/sh", "-c", "read -r _; kill -KILL 0")


class Child(subprocess.Popen[Any]):
    """A program in a process group of its own, used as a context manager; arguments as those of Popen.

    All processes of the group, compilers that the program started among them, are killed at the end of the
    block, by `end`, and when this process ends. On POSIX a shell that leads the group sees to the last one:
    it reads from a pipe whose other end is held here alone, and closed by the kernel at the latest. (A
    PR_SET_PDEATHSIG would reach the program, but nothing that the program started.) Elsewhere `end` kills
    the program alone.
    """

    def __init__(self, command: Sequence[str | Path], **options: Any) -> None:
        self._guard: subprocess.Popen[bytes] | None = None
        if os.name == "posix":
            null = subprocess.DEVNULL
            self._guard = subprocess.Popen(
                GUARD, stdin=subprocess.PIPE, stdout=null, stderr=null, process_group=0
            )
            options["process_group"] = self._guard.pid
        try:
            super().__init__([str(part) for part in command], **options)
        except BaseException:
            self._end_guard()
            raise

    def end(self) -> None:
        """Kills what still runs of the group; the exit code of the program is known then."""
        if self._guard is None:
            self.kill()
        self._end_guard()
        self.wait()

    def __exit__(self, *error: Any) -> None:
        self.end()
        super().__exit__(*error)

    def _end_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
        assert guard.stdin
        guard.stdin.close()


def end_with_parent() -> None:
    """In a process of a multiprocessing pool: it ends as soon as the process that started it does."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        assert parent
        parent.join()
        os._exit(1)

    if parent:
        threading.Thread(target=wait, daemon=True).start()
