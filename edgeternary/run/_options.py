"""The options that the C executors share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgeternary.errors import USAGE, EdgeTernaryError


def _no_progress(done: int, total: int) -> None:
    """Progress that is not shown."""


@dataclass(frozen=True)
class Options:
    """compiler: auto, zig, gcc, clang. opt_level: the letter after -O. optimize: cycles,
    flash or ram, what the choice of kernels makes small. count: samples whose instructions are
    counted. sanitize: address and undefined-behaviour checks. timeout: seconds for a whole run.
    board: whose flash delays the cycles; none without. flash_wait: wait states of a flash
    without a board, "2", or "2:8" with the bytes that it reads at once. waves: a file for
    the values of all signals over time (cxxrtl, verilator); none without."""

    compiler: str = "auto"
    opt_level: str = "2"
    optimize: str = "cycles"
    count: int = 1
    sanitize: bool = False
    timeout: float = 600.0
    progress: Callable[[int, int], None] = _no_progress
    board: str = ""
    waves: str = ""
    flash_wait: str = ""

    @staticmethod
    def read(options: Mapping[str, object]) -> Options:
        """From an executor's `options`; what other executors understand is left alone."""
        defaults = Options()
        count, timeout = options.get("count", defaults.count), options.get("timeout", defaults.timeout)
        if not isinstance(count, int) or count < 0 or not isinstance(timeout, int | float) or timeout <= 0:
            raise EdgeTernaryError(
                f"bad options count={count!r}, timeout={timeout!r}",
                "count is a number of samples and timeout one of seconds",
                code=USAGE,
            )
        progress = options.get("progress")
        return Options(
            str(options.get("compiler") or defaults.compiler),
            str(options.get("opt_level") or defaults.opt_level),
            str(options.get("optimize") or defaults.optimize),
            count,
            bool(options.get("sanitize", False)),
            float(timeout),
            progress if callable(progress) else _no_progress,
            str(options.get("board") or ""),
            str(options.get("waves") or ""),
            str(options.get("flash_wait") or ""),
        )
