"""Recipes of the models that ship with the package, one module each."""
