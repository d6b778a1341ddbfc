"""Finds a recipe in the zoo, in a TOML file, or in a Python module."""

import importlib
from pathlib import Path
from typing import Any

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train import toml
from edgeternary.train.recipe import Recipe


def find_recipe(text: str) -> Recipe:
    """The recipe of "zoo:NAME", "PATH.toml", "PATH.json" (a card), "package.module" (its RECIPE) or
    "module:function".
    """
    return find(text)[0]


def find(text: str) -> tuple[Recipe, dict[str, Any]]:
    """The recipe and its [sweep] table, which only files have."""
    if text.startswith(toml.ZOO):
        return toml.read(toml.zoo_recipe(text))
    if text.endswith((".toml", ".json")):
        return toml.read(Path(text))
    return _from_module(text), {}


def _from_module(text: str) -> Recipe:
    module, _, function = text.partition(":")
    try:
        found = getattr(importlib.import_module(module), function or "RECIPE")
    except (ImportError, AttributeError, ValueError) as error:
        raise EdgeTernaryError(
            f"there is no recipe {text!r}",
            str(error),
            f"give RECIPE.toml, module:function, or zoo: and one of {', '.join(toml.zoo_recipes())}",
            code=USAGE,
        ) from error
    recipe = found() if callable(found) else found
    if not isinstance(recipe, Recipe):
        raise EdgeTernaryError(f"{text!r} is a {type(recipe).__name__}, not a Recipe", code=USAGE)
    return recipe
