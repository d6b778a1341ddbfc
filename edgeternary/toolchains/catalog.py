"""The tools that edgeternary uses. tools.toml says how each is found and how it is installed."""

import tomllib
from functools import cache
from pathlib import Path

import msgspec

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.toolchains.tool import Tool, ToolSpec

_TABLES = tomllib.loads(Path(__file__).with_name("tools.toml").read_text(encoding="utf-8"))
CATALOG = {name: msgspec.convert({"name": name, **table}, ToolSpec) for name, table in _TABLES.items()}


@cache
def find(name: str) -> Tool:
    """The tool called `name`. It is looked for once in a process; `Tool.found` is False if it is missing."""
    if name not in CATALOG:
        raise EdgeTernaryError(
            f"no tool is called {name!r}", "the catalog does not list it", f"known: {', '.join(CATALOG)}"
        )
    return CATALOG[name].locate()


def require(name: str) -> Tool:
    """The tool called `name`. EdgeTernaryError (exit code 3) says how to install it."""
    tool = find(name)
    if not tool.found:
        raise EdgeTernaryError(
            f"{name} is missing",
            f"it was looked for as {tool.tried}; it is needed for: {tool.needed_by}",
            f"install it with: {tool.install}",
            code=TOOL_MISSING,
        )
    return tool


def all_tools() -> list[Tool]:
    """Every tool of the catalog in its order, also those that are missing."""
    return [find(name) for name in CATALOG]
