"""Ternary weights as lists of gaps, which a loop reads: small code for many weights."""
