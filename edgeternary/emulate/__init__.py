"""Runs the image of a build on an emulated board. Its UART is a port like that of a real board."""

from edgeternary.emulate.targets import Emulated, emulated

__all__ = ["Emulated", "emulated"]
