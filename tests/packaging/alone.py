"""Runs commands and Python statements where only some extras seem to be installed; results go out as JSON.

python alone.py WORK.json: {"hidden": [modules that cannot be found], "commands": {name: [arguments]},
"python": {name: source}}. PATH is the caller's to empty. Every answer is [exit code, text].
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class Hiding:
    """A finder of `sys.meta_path` that does not see some modules, as if nobody had installed them."""

    def __init__(self, finder: Any, hidden: frozenset[str]) -> None:
        self.finder, self.hidden = finder, hidden

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in self.hidden or not hasattr(self.finder, "find_spec"):
            return None
        found: ModuleSpec | None = self.finder.find_spec(name, path, target)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)


def answer(arguments: list[str]) -> tuple[int, str]:
    """Exit code and both streams of one command."""
    from edgeternary import cli

    text, start = io.StringIO(), time.process_time()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        code = cli.call(arguments)
    print(f"{time.process_time() - start:6.2f} s  {' '.join(arguments)}", file=sys.stderr)
    return code, text.getvalue()


def executed(source: str) -> tuple[int, str]:
    """0, or the code and text of the EdgeTernaryError; any other exception is -1 with its traceback."""
    from edgeternary.errors import EdgeTernaryError

    try:
        exec(source, {})
    except EdgeTernaryError as error:
        return error.code, str(error)
    except Exception:
        return -1, traceback.format_exc()
    return 0, ""


if __name__ == "__main__":
    work = json.loads(Path(sys.argv[1]).read_text())
    hidden = frozenset(work["hidden"])
    sys.meta_path[:] = [Hiding(finder, hidden) for finder in sys.meta_path]
    found = {name: answer(arguments) for name, arguments in work["commands"].items()}
    found |= {name: executed(source) for name, source in work["python"].items()}
    print(json.dumps(found))
