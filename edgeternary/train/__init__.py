"""Training: recipes, data loaders, the training loop, and the run that writes a `.et` file and a card.

Nothing is imported before it is used: `edgeternary.train.data` needs no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

_WHERE = {
    "Augment": "augment",
    "DATASETS": "data",
    "Data": "data",
    "fashion_mnist": "data",
    "find_recipe": "find",
    "Fitted": "loop",
    "fit": "loop",
    "Recipe": "recipe",
    "Stage": "recipe",
    "Options": "session",
    "Outcome": "session",
    "run": "session",
    "from_table": "toml",
    "to_table": "toml",
}

__all__ = [
    "DATASETS",
    "Augment",
    "Data",
    "Fitted",
    "Options",
    "Outcome",
    "Recipe",
    "Stage",
    "fashion_mnist",
    "find_recipe",
    "fit",
    "from_table",
    "run",
    "to_table",
]

if TYPE_CHECKING:
    from edgeternary.train.augment import Augment
    from edgeternary.train.data import DATASETS, Data, fashion_mnist
    from edgeternary.train.find import find_recipe
    from edgeternary.train.loop import Fitted, fit
    from edgeternary.train.recipe import Recipe, Stage
    from edgeternary.train.session import Options, Outcome, run
    from edgeternary.train.toml import from_table, to_table


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'edgeternary.train' has no attribute {name!r}")
    return getattr(importlib.import_module(f"edgeternary.train.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
