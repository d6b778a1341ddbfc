"""Requantize in generated code: which arithmetic its numbers need, and proofs that a cheaper one is equal."""
