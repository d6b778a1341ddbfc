"""Figures of cost formulas have names, whose comments say the unit; formulas hold no others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import edgeternary.c

FORMULAS = ("cost", "cycles", "effort", "instructions")
PLAIN = (0, 1, 2, 4)  # counts, pairs and bytes of words
NAMED = ("Cycles",)  # calls whose arguments are named figures


def test_cost_formulas_have_no_bare_numbers() -> None:
    root = Path(edgeternary.c.__file__).parent
    assert not [f"{file.relative_to(root)}:{place}" for file in root.rglob("*.py") for place in _bare(file)]


def _bare(file: Path) -> Iterator[str]:
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        formula = any(word in function.name for word in FORMULAS)
        for node in (inner for statement in function.body for inner in _nodes(statement)):
            inside = [node] if formula else ast.walk(node) if _calls(node, ("Cost",)) else []
            for part in inside:
                if isinstance(part, ast.Constant) and _number(part.value) and part.value not in PLAIN:
                    yield f"{part.lineno} {function.name} {part.value}"
            if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value:
                yield f"{node.lineno} {function.name} {node.value}"


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but arguments of NAMED."""
    yield node
    for child in () if _calls(node, NAMED) else ast.iter_child_nodes(node):
        yield from _nodes(child)


def _calls(node: ast.AST, names: tuple[str, ...]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
