"""How a model is to be built in C."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How a model is to be built.

    compiler, opt_level  auto, zig, gcc (host: or clang), and the letter after -O
    optimize             cycles, flash or ram
    max_...              limits in bytes and cycles; None is none
    """

    compiler: str = "auto"
    opt_level: str = "2"
    optimize: str = "cycles"
    max_flash: int | None = None
    max_ram: int | None = None
    max_cycles: int | None = None
