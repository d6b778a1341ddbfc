"""Finds external tools, says how to install them, and compiles C with them."""

from edgeternary.toolchains.catalog import CATALOG, all_tools, find, require
from edgeternary.toolchains.child import Child
from edgeternary.toolchains.process import run
from edgeternary.toolchains.tool import Tool, ToolSpec

__all__ = ["CATALOG", "Child", "Tool", "ToolSpec", "all_tools", "find", "require", "run"]
