"""Errors as a person reads them: what, why, remedy."""

import errno
import shutil
import sys
import textwrap

from edgeternary.errors import EdgeTernaryError

INDENT = 8  # of the lines below "why:" and "try:"


def describe(error: Exception) -> str:
    """One block: the first line says what, the indented lines why and what to do."""
    if isinstance(error, EdgeTernaryError):
        return _block(error.what, error.why, error.remedy)
    if isinstance(error, OSError) and error.filename is not None:
        return _block(
            f"cannot use {error.filename}", error.strerror or "", "check the path and its permissions"
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _block(
            "a file could not be written to its end",
            f"{error.strerror}; nothing was left half-written",
            "free some space: where the output goes, in the cache (XDG_CACHE_HOME), and in TMPDIR",
        )
    if isinstance(error, OSError) and error.errno:
        return _block("a file could not be used", error.strerror or "", "check paths and permissions")
    return _block(
        f"unexpected {type(error).__name__}: {str(error) or 'no further text'}",
        "this is a fault in edgeternary, not in your input",
        "the same command with --debug shows where; please report it with that output",
    )


def _block(what: str, why: str, remedy: str) -> str:
    reasons = "\n".join(map(_wrapped, why.strip().splitlines()))
    return "\n".join([f"error: {_sentence(what)}", *_labelled("why", reasons), *_labelled("try", remedy)])


def _wrapped(line: str) -> str:
    """A reason, on a terminal broken to what its width leaves; a remedy is not, since it may be a command."""
    width = shutil.get_terminal_size().columns - INDENT if sys.stderr.isatty() else 0
    return textwrap.fill(line, max(width, 40), break_on_hyphens=False) if 0 < width < len(line) else line


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":", "\n")) else f"{text}."


def _labelled(label: str, text: str) -> list[str]:
    lines = text.strip().splitlines()
    if not lines:
        return []
    return [f"  {label}:  {lines[0]}", *(f"{' ' * INDENT}{line}" for line in lines[1:])]
