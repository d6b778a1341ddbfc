"""Proofs that hardware is its graph, for every input, and what only simulation covers."""
