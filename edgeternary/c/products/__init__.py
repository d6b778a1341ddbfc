"""Multiply-accumulate of integer weights: how each core multiplies, and how weights lie in memory for it."""
