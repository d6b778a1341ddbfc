"""Budgets of models in `edgeternary.toml`: what a model may take, and whether it does.

table    the file, read strictly
measure  the figures of a model, as `compile --build` and `simulate --compare` have them
lock     the figures of the last release, which the user commits
"""
