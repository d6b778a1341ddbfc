"""The commands that install missing tools: one for each installer that this machine has."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.toolchains.catalog import CATALOG
from edgeternary.toolchains.child import Child
from edgeternary.toolchains.tool import ToolSpec

Which = Callable[[str], str | None]


def commands(missing: Iterable[ToolSpec], which: Which = shutil.which) -> tuple[list[list[str]], list[str]]:
    """Commands that install tools, and the names of those that none of them can install.

    which  finds a program on PATH; a wheel is preferred to a system package, which needs root.
    """
    wanted: dict[str, list[str]] = {"pip": [], "apt": [], "npm": []}
    left: list[str] = []
    for spec in missing:
        installer, packages = _how(spec, which)
        wanted.setdefault(installer, []).extend(packages)
        if not packages:
            left.append(spec.name)
    heads = {
        "pip": [sys.executable, "-m", "pip", "install"],
        "apt": [*_root(which), "apt-get", "install", "-y"],
        "npm": ["npm", "install", "--ignore-scripts", "--no-save"],
    }
    found = [[*heads[name], *dict.fromkeys(packages)] for name, packages in wanted.items() if packages]
    return found, left


def _how(spec: ToolSpec, which: Which) -> tuple[str, list[str]]:
    """Installer and packages, as the catalog's `install` names them; no packages where there is no way."""
    ways = {"pip": bool(spec.package), "apt": bool(which("apt-get")), "npm": bool(which("npm"))}
    for name, there in ways.items():
        match = re.search(rf"\b{name} install ([\w. -]+)", spec.install)
        if there and match:
            return name, [word for word in match[1].split() if not word.startswith("-")]
    return "", []


def _root(which: Which) -> list[str]:
    return ["sudo"] if hasattr(os, "geteuid") and os.geteuid() and which("sudo") else []


def install(found: Sequence[Sequence[str]]) -> None:
    """Run the commands one by one, on this terminal. EdgeTernaryError (code 3) for one that fails."""
    for command in found:
        with Child(command, terminal=True) as process:
            code = process.wait()
        if code:
            raise EdgeTernaryError(
                f"{command[0]} ended with code {code}",
                "it did not install " + ", ".join(command[3:]),
                shlex.join(command),
                TOOL_MISSING,
            )


def still_missing() -> list[ToolSpec]:
    """The tools that are not found now."""
    return [spec for spec in CATALOG.values() if not spec.locate().found]
