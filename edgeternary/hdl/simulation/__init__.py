"""Designs in the Amaranth simulator: all frames at once or one after the other; what hangs if none comes."""
