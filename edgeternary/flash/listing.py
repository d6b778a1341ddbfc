"""What a tool lists."""

from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import run

SECONDS = 20.0


def said(command: list[str]) -> str:
    """What a listing command prints; "" where it fails, as some do when there is nothing."""
    try:
        return run(command, what=f"listing with {command[0]}", timeout=SECONDS)
    except EdgeTernaryError:
        return ""
