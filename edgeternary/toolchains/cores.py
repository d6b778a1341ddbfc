"""The Cortex-M cores that C can be compiled for."""

from __future__ import annotations

from dataclasses import dataclass

from edgeternary.errors import USAGE, EdgeTernaryError


@dataclass(frozen=True)
class Core:
    """How the compilers and the emulator call one core.

    name     "cortex-m4"
    gcc      value of arm-none-eabi-gcc's -mcpu
    zig      value of zig's -mcpu; soft_float keeps the compiler off the floating-point registers
    unicorn  name of the CPU model, UC_CPU_ARM_<unicorn>; an M0 has the instructions of an M0+; "" where there
             is none and QEMU runs it
    float    value of arm-none-eabi-gcc's -mfloat-abi; vector registers need another than soft
    """

    name: str
    gcc: str
    zig: str
    unicorn: str
    float: str = "soft"


CORES: dict[str, Core] = {
    core.name: core
    for core in (
        Core("cortex-m0plus", "cortex-m0plus", "cortex_m0plus", "CORTEX_M0"),
        Core("cortex-m3", "cortex-m3", "cortex_m3", "CORTEX_M3"),
        Core("cortex-m4", "cortex-m4", "cortex_m4+soft_float", "CORTEX_M4"),
        Core("cortex-m7", "cortex-m7", "cortex_m7+soft_float", "CORTEX_M7"),
        Core("cortex-m33", "cortex-m33", "cortex_m33+soft_float", "CORTEX_M33"),
        Core("cortex-m55", "cortex-m55+nofp", "cortex_m55+mve", "", float="hard"),
    )
}


def core(name: str) -> Core:
    """The core called `name`; EdgeTernaryError (exit code 2) lists the known ones."""
    if name not in CORES:
        raise EdgeTernaryError(
            f"unknown core {name!r}",
            "no compiler settings for it",
            f"use one of {', '.join(CORES)}",
            code=USAGE,
        )
    return CORES[name]
