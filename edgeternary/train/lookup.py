"""Names in recipes: errors that suggest the nearest known name, and "module:function"."""

import difflib
import importlib
from collections.abc import Collection
from typing import Any

from edgeternary.errors import USAGE, EdgeTernaryError


def unknown(what: str, name: object, known: Collection[str]) -> EdgeTernaryError:
    """The error for a `name` that is not in `known`. Its remedy suggests the nearest one."""
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]!r}?" if near else "choose one of these"
    return EdgeTernaryError(
        f"unknown {what} {str(name)[:60]!r}", f"known are: {', '.join(known)}", remedy, code=USAGE
    )


def function(text: str, what: str) -> Any:
    """The function or class that "package.module:name" names."""
    module, _, name = text.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        if not callable(found):
            raise TypeError(f"{name[:60]!r} is a {type(found).__name__} there, which cannot be called")
        return found
    except (ImportError, AttributeError, TypeError, ValueError) as error:  # a name that begins with a dot
        raise EdgeTernaryError(
            f"there is no {what} {text[:80]!r}",
            str(error),
            "write module:function of a module that Python can import",
            code=USAGE,
        ) from error


def path_of(thing: Any) -> str:
    """The text that `function` resolves to `thing`."""
    return f"{thing.__module__}:{thing.__qualname__}"
