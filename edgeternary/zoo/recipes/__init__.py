"""Recipes of the models that ship with the package, one NAME.toml each."""
