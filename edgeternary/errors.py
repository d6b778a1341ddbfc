"""One error type with what, why and remedy, and the exit codes of the command line."""

import difflib
import sys
from collections.abc import Callable, Iterable
from typing import NoReturn

BAD_INPUT = 1
USAGE = 2
TOOL_MISSING = 3
NOT_BIT_EXACT = 4
DOES_NOT_FIT = 5


class EdgeTernaryError(Exception):
    """What went wrong, why, and what the user can do about it.

    `code` is the exit code of the command line: 1 bad input or failed, 2 usage,
    3 tool missing, 4 not bit-exact, 5 does not fit.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "", code: int = BAD_INPUT) -> None:
        self.what, self.why, self.remedy, self.code = what, why, remedy, code
        super().__init__(". ".join(part.rstrip(".") for part in (what, why, remedy) if part))


class TimedOut(EdgeTernaryError):
    """A program ran longer than it may."""


def nearest(name: object, known: Iterable[str], otherwise: str = "choose one of them") -> str:
    """A remedy: the most similar of the known names, as in "did you mean m4?", else `otherwise`."""
    names = {one.lower(): one for one in known}
    near = difflib.get_close_matches(str(name).lower(), names, 1, 0.5)
    return f"did you mean {names[near[0]]}?" if near else otherwise


def script(main: Callable[[], int | None]) -> NoReturn:
    """Ends the process with what `main` returns; after an EdgeTernaryError, said on stderr, with its code."""
    try:
        sys.exit(main())
    except EdgeTernaryError as error:
        print(error, file=sys.stderr)
        sys.exit(error.code)
