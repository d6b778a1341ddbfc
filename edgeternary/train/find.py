"""Where recipes come from: the zoo, a TOML file, or a Python module."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.train import toml
from edgeternary.train.recipe import Recipe
from edgeternary.train.sources import ZOO

ZOO_RECIPES = "edgeternary.zoo.recipes"


def zoo_folder() -> Path:
    """The folder of the zoo's recipes."""
    return Path(str(importlib.import_module(ZOO_RECIPES).__file__)).parent


def zoo_recipes() -> list[str]:
    """Names that zoo: takes, sorted."""
    files = [path.stem for path in zoo_folder().glob("*.toml")]
    modules = [path.stem for path in zoo_folder().glob("[a-z]*.py") if "RECIPE = " in path.read_text()]
    return sorted({*files, *(name.replace("_", "-") for name in modules)})


def find_recipe(text: str) -> Recipe:
    """The recipe "zoo:NAME", "PATH.toml", the card "PATH.json", "package.module" (its RECIPE) or
    "module:function".
    """
    return find(text)[0]


def find(text: str) -> tuple[Recipe, dict[str, Any]]:
    """The recipe and its [sweep] table, which only files have."""
    if text.startswith(ZOO):
        name = text.removeprefix(ZOO)
        path = zoo_folder() / f"{name}.toml"
        if path.parent == zoo_folder() and path.is_file():
            return toml.read(path)
        return _from_module(f"{ZOO_RECIPES}.{name.replace('-', '_')}", text), {}
    if text.endswith((".toml", ".json")):
        return toml.read(Path(text))
    return _from_module(text, text), {}


def _from_module(path: str, text: str) -> Recipe:
    module, _, function = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), function or "RECIPE")
    except (ImportError, AttributeError, ValueError) as error:
        raise EdgeTernaryError(
            f"there is no recipe {text!r}",
            str(error),
            f"give RECIPE.toml, module:function, or zoo: and one of {', '.join(zoo_recipes())}",
            code=USAGE,
        ) from error
    recipe = found() if callable(found) else found
    if not isinstance(recipe, Recipe):
        raise EdgeTernaryError(f"{text!r} is a {type(recipe).__name__}, no Recipe", code=USAGE)
    return recipe
