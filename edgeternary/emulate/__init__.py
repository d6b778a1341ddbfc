"""A build on a board that is not there: its own image in an emulator, its UART a port like any other."""

from edgeternary.emulate.targets import Emulated, emulated

__all__ = ["Emulated", "emulated"]
