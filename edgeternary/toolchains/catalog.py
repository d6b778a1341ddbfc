"""The tools that some part of the product uses: tools.toml says of each how to find and to install it."""

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
    """The tool called `name`, looked for once per process; `Tool.found` is False if it is not here."""
    if name not in CATALOG:
        raise EdgeTernaryError(
            f"no tool is called {name!r}", "the catalog does not list it", f"known: {', '.join(CATALOG)}"
        )
    return CATALOG[name].locate()


def require(name: str) -> Tool:
    """The tool called `name`, or an EdgeTernaryError (exit code 3) that says how to install it."""
    tool = find(name)
    if not tool.found:
        raise EdgeTernaryError(
            f"{name} is missing",
            f"looked for {tool.tried}; {tool.needed_by} need it",
            f"install it with: {tool.install}",
            code=TOOL_MISSING,
        )
    return tool


def all_tools() -> list[Tool]:
    """Every tool of the catalog, found or not, in catalog order."""
    return [find(name) for name in CATALOG]
