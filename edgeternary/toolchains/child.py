"""Child processes that end with this one, even if SIGKILL ends it and no more Python code runs."""

import multiprocessing
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# It waits for the end of its input, to which only this process can write, then kills its group.
GUARD = ("/bin/sh", "-c", "read -r _; kill -KILL 0")


class Child(subprocess.Popen[Any]):
    """A program in its own process group. It is a context manager and takes the arguments of Popen.

    All processes of the group, also those that the program started, are killed at the end of the block, by
    `end`, and when this process ends. On POSIX a shell that leads the group does the last: it reads from a
    pipe whose other end only this process holds; the kernel closes that end when this process ends. (A
    PR_SET_PDEATHSIG would reach the program, but not the processes that it started.) On other systems `end`
    kills the program alone.
    """

    def __init__(self, command: Sequence[str | Path], terminal: bool = False, **options: Any) -> None:
        """terminal: it reads from this terminal, as sudo does, so it stays in this process's group."""
        self._guard: subprocess.Popen[bytes] | None = None
        if os.name == "posix" and not terminal:
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
        """Kills all processes of the group that still run. Then the exit code of the program is known."""
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
    """Makes a process of a multiprocessing pool end as soon as its parent process ends."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        assert parent
        parent.join()
        os._exit(1)

    if parent:
        threading.Thread(target=wait, daemon=True).start()
