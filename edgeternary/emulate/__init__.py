"""A build on an emulated board: the image itself runs, and its UART is a port like any other."""

from edgeternary.emulate.targets import Emulated, emulated

__all__ = ["Emulated", "emulated"]
