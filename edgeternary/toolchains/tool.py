"""A tool is a program on PATH, a Python package that contains a program, or data of a system package."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edgeternary.toolchains import extras
from edgeternary.toolchains.child import Child

VERSION_TIMEOUT = 60.0


@dataclass(frozen=True)
class ToolSpec:
    """How a tool is found.

    name          its name for users and in error messages
    install       the command that installs it
    needed_by     verbs and executors that use it
    executables   program names; the first one on PATH is used
    package       Python package that contains the tool; it is used if no executable is on PATH
    npm           package of Node.js, searched in node_modules here and above, and in NODE_PATH
    program       path of a program in that package, a function `module:name` to call, or `module:` to run
    version_args  arguments that print the version
    files         paths of data; the first one that exists is used
    """

    name: str
    install: str
    needed_by: str
    executables: tuple[str, ...] = ()
    package: str = ""
    npm: str = ""
    program: str = ""
    version_args: tuple[str, ...] = ("--version",)
    files: tuple[str, ...] = ()

    @property
    def installed_by(self) -> str:
        """`install`, and the command for the extra that installs the package, if there is one."""
        extra = extras.MODULES.get(self.package)
        if extra is None:
            return self.install
        ours = extras.command(extra)
        return f"{self.install}, or {ours}" if self.executables else f"{ours} (or {self.install})"

    def locate(self) -> Tool:
        """Looks for the tool now. `Tool.found` tells whether it is installed."""
        tried: list[str] = []
        for executable in self.executables:
            where = shutil.which(executable)
            if where:
                return self._tool((where,), where, _program_version((where, *self.version_args)))
            tried.append(f"{executable} on PATH")
        if self.package:
            found = self._in_package()
            if found:
                return found
            tried.append(f"Python package {self.package}")
        if self.npm:
            found = self._in_node_modules()
            if found:
                return found
            tried.append(f"{self.npm} in node_modules here and above and in NODE_PATH")
        for name in self.files:
            if Path(name).is_file():
                return self._tool((), name, "unknown")
            tried.append(name)
        return self._tool((), "", "", ", ".join(tried))

    def _in_node_modules(self) -> Tool | None:
        here = Path.cwd()
        paths = [Path(path) for path in os.environ.get("NODE_PATH", "").split(os.pathsep) if path]
        for folder in [*paths, *(place / "node_modules" for place in (here, *here.parents))]:
            description = folder / self.npm / "package.json"
            if description.is_file():
                version = str(json.loads(description.read_text(encoding="utf-8")).get("version", "unknown"))
                return self._tool((), str(description.parent), version)
        return None

    def _in_package(self) -> Tool | None:
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            return None
        folder = Path(next(iter(spec.submodule_search_locations)))
        version = "unknown"
        for distribution in (self.name, self.package.replace("_", "-")):
            try:
                version = importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                pass  # the distribution has another name
        if ":" in self.program:
            module, function = self.program.split(":")
            if not function:
                return self._tool((sys.executable, "-m", module), str(folder), version)
            call = f"import sys; from {module} import {function} as main; sys.exit(main(sys.argv[1:]))"
            return self._tool((sys.executable, "-c", call), str(folder), version)
        if self.program:
            program = folder / (self.program + (".exe" if os.name == "nt" else ""))
            if not program.is_file():
                return None
            return self._tool((str(program),), str(program), version)
        return self._tool((), str(folder), version)

    def _tool(self, command: tuple[str, ...], where: str, version: str, tried: str = "") -> Tool:
        return Tool(self.name, command, where, version, self.installed_by, self.needed_by, tried)


@dataclass(frozen=True)
class Tool:
    """A tool on this machine.

    command    the command that starts it (empty for a Python library or a missing tool)
    where      its path; "" if it was not found
    version    the version that it reports, such as "14.2.1"
    install    the command that installs it
    needed_by  verbs and executors that use it
    tried      the places that were searched in vain
    """

    name: str
    command: tuple[str, ...]
    where: str
    version: str
    install: str
    needed_by: str
    tried: str = ""

    @property
    def found(self) -> bool:
        return bool(self.where)


def _program_version(command: tuple[str, ...]) -> str:
    """The first text in the output of a command that looks like a version; "unknown" if there is none."""
    try:
        with Child(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        ) as process:
            out, err = process.communicate(timeout=VERSION_TIMEOUT)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    # Parentheses may hold the version of the package, so a number outside of them is preferred.
    text = out + err
    for candidate in (re.sub(r"\([^)]*\)", " ", text), text):
        match = re.search(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)*(?:[-+][\w.]+)?)", candidate)
        if match:
            return match[1]
    return "unknown"
