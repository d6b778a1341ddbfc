"""Bit slices: a word holds one binary digit of 32 pixels or of 32 counters."""
