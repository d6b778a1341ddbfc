"""No circle of imports: imports inside functions and those for types alone count as well."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp  # comes with import-linter

import edgeternary

PACKAGE = Path(edgeternary.__file__).parent


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Modules of one circle, the first again at the end; empty without one."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_circle_of_imports() -> None:
    graph = grimp.build_graph("edgeternary", "edgeternary_hw", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert circle(imports) == []
    planted = {**imports, "edgeternary.errors": {"edgeternary.ir.file"}}
    assert set(circle(planted)) >= {"edgeternary.errors", "edgeternary.ir.file"}


def hidden(text: str, own: str) -> list[str]:
    """Modules of edgeternary outside the package `own` that `text` imports by their name as a string."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and node.args]
    found = []
    for call in calls:
        first = call.args[0].values[0] if isinstance(call.args[0], ast.JoinedStr) else call.args[0]
        name = first.value if isinstance(first, ast.Constant) else None
        if "import_module" in ast.unparse(call.func) and isinstance(name, str):
            found += [name] if name.startswith("edgeternary.") and not name.startswith(own) else []
    return found


def test_no_import_is_hidden_in_a_string() -> None:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        own = ".".join(["edgeternary", *path.parent.relative_to(PACKAGE).parts, ""])
        found[path.relative_to(PACKAGE).as_posix()] = hidden(path.read_text(), own)
    del found["__init__.py"]  # it names its modules before it loads them
    assert not {name: modules for name, modules in found.items() if modules}


def test_a_hidden_import_is_seen() -> None:
    text = "import_module('edgeternary.run')\nimportlib.import_module(f'edgeternary.ir.{x}')"
    assert hidden(text, "edgeternary.ir.") == ["edgeternary.run"]
