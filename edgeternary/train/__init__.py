"""Training: recipes, data loaders, the loop, and the run that ends in a `.et` file and a card."""

from edgeternary.train.data import Data, fashion_mnist
from edgeternary.train.recipe import Recipe
from edgeternary.train.session import Outcome, find_recipe, run
from edgeternary.train.trainer import Fitted, fit

__all__ = ["Data", "Fitted", "Outcome", "Recipe", "fashion_mnist", "find_recipe", "fit", "run"]
