"""The reference pages that are made from code: verbs, ops, kernels, hardware parts, boards, Python API.

`pages()` gives {path in the site: Markdown}. mkdocs calls it through hooks.py; nothing is written to docs/.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
INTRODUCED = "This page is made from the code when the site is built.\n"


@cache
def pages() -> Mapping[str, str]:
    """{path in the site: Markdown} of every page of this module."""
    return {f"reference/{name}.md": write() for name, write in PAGES.items()}


def escaped(text: str) -> str:
    """Text for a cell of a table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def verbatim(text: str) -> str:
    """A docstring with its columns and formulas."""
    return f"```text\n{text.strip()}\n```\n"


def verbs() -> str:
    """Every verb with its usage, help and options."""
    from edgeternary.cli._app import app

    text = ["# Verbs of the command line\n", INTRODUCED, "[The command line](../cli.md) defines the words.\n"]
    context = click.Context(app, info_name="edgeternary")
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        usage = " ".join([inner.command_path, *command.collect_usage_pieces(inner)])
        text += [f"## {name}\n", f"```text\n{usage}\n```\n", described(inspect.cleandoc(command.help or ""))]
        found = (parameter.get_help_record(inner) for parameter in command.get_params(inner))
        rows = ((f"`{left}`".replace("|", "\\|"), escaped(right)) for left, right in filter(None, found))
        text.append(table(("option", "meaning"), rows))
    return "\n".join(text)


def described(help_text: str) -> str:
    """The help of a verb; paragraphs that click keeps as they are (after \\b) become blocks."""
    parts = [part for part in re.split(r"\n\s*\n", help_text) if part.strip()]
    return "\n\n".join(verbatim(part.replace("\b\n", "")) if "\b" in part else part for part in parts) + "\n"


def ops() -> str:
    """Every op of the integer graph: its class and its fields."""
    from edgeternary.ir import REGISTRY

    importlib.import_module("edgeternary.ops")
    text = ["# Ops\n", INTRODUCED, "[The integer graph](../integer-graph.md) is the specification.\n"]
    for kind, op in sorted(REGISTRY.items()):
        text += [f"## {kind}\n", f"`{op.__module__}.{op.__qualname__}`\n"]
        text += [verbatim(inspect.cleandoc(op.__doc__ or ""))]
    return "\n".join(text)


def own_doc(thing: Any) -> str:
    """The docstring of the module that defines a class: kernels and parts explain themselves there."""
    return inspect.getdoc(importlib.import_module(type(thing).__module__)) or ""


def kernels() -> str:
    """Every C kernel: the patterns of ops that it runs, and how it works."""
    from edgeternary.c.kernels import kernels as found

    text = ["# C kernels\n", INTRODUCED, "[Which kernel when](../kernels.md) compares them.\n"]
    for kernel in sorted(found(), key=lambda kernel: (kernel.folder, kernel.name)):
        patterns = ", ".join(" → ".join(pattern) for pattern in kernel.patterns)
        text += [f"## {kernel.name}\n", f"Runs: {patterns}\n" if patterns else "A conversion of layouts.\n"]
        text += [verbatim(own_doc(kernel))]
    return "\n".join(text)


def parts() -> str:
    """Every hardware part: how the back end builds it, and the component of the library."""
    from edgeternary.hdl.parts import described as found

    text = ["# Hardware parts\n", INTRODUCED, "[Hardware](../hardware.md) explains how they work together.\n"]
    for part in found():
        name = type(part).__module__.rsplit(".", 1)[-1]
        text += [f"## {name}\n", verbatim(own_doc(part))]
        hardware = getattr(part, "hardware", None)
        if hardware is not None and hardware.__doc__:
            component = f"Component `{hardware.__module__}.{hardware.__qualname__}`:\n"
            text += [component, verbatim(inspect.cleandoc(hardware.__doc__))]
    return "\n".join(text)


def boards() -> str:
    """Every board with the figures of its file."""
    from edgeternary.boards import load_all
    from edgeternary.report.boards import board_row

    text = ["# Boards\n", INTRODUCED, "[Boards](../boards.md) says how to add one.\n"]
    for board in load_all().values():
        row = board_row(board)
        facts = {key: value for key, value in row.items() if value not in (None, "", [], ())}
        shown = ((key.replace("_", " "), escaped(said(value))) for key, value in facts.items())
        text += [f"## {row['name']}\n", table(("", ""), shown)]
    return "\n".join(text)


def said(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def python() -> str:
    """The public Python API. mkdocstrings reads the sources: nothing is imported for it."""
    text = ["# Python API\n", INTRODUCED, "```python\nimport edgeternary\nfrom edgeternary import nn\n```\n"]
    text += ["## edgeternary\n", *(directive(path) for path in functions())]
    for title, module, names in (
        ("edgeternary.run", "edgeternary/run/__init__.py", ("run", "open_session", "executors")),
        ("edgeternary.testing", "edgeternary/testing.py", ("assert_bit_exact",)),
        ("edgeternary.nn", "edgeternary/nn/__init__.py", None),
    ):
        text += [f"## {title}\n", *(directive(path) for path in exported(module, title, names))]
    return "\n".join(text)


def directive(path: str) -> str:
    return f"::: {path}\n"


def functions() -> list[str]:
    """Paths of the functions that `import edgeternary` gives, which are loaded when they are used."""
    import edgeternary

    paths = [f"{module}.{name}" for name, module in edgeternary._FUNCTIONS.items()]
    return [*paths, "edgeternary.errors.EdgeTernaryError"]


def exported(file: str, package: str, names: tuple[str, ...] | None) -> Iterator[str]:
    """Paths of what a module exports, where each is defined; constants are left out."""
    tree = ast.parse((ROOT / file).read_text())
    where = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    own = {n.name: f"{package}.{n.name}" for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    public = names or next(iter(listed), [name for name in own if not name.startswith("_")])
    found = {name: own.get(name) or where.get(name, "") for name in public}
    return (path for name, path in sorted(found.items()) if path and not name.isupper())


PAGES: Mapping[str, Callable[[], str]] = {
    "verbs": verbs, "python": python, "ops": ops, "kernels": kernels, "parts": parts, "boards": boards,
}  # fmt: skip
