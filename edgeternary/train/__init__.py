"""Training: recipes, data loaders, the training loop, and the run that writes a `.et` file and a card."""

from edgeternary.train.augment import Augment
from edgeternary.train.data import DATASETS, Data, fashion_mnist
from edgeternary.train.find import find_recipe
from edgeternary.train.loop import Fitted, fit
from edgeternary.train.recipe import Recipe, Stage
from edgeternary.train.session import Options, Outcome, run
from edgeternary.train.toml import from_table, to_table

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
