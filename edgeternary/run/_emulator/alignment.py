"""Accesses to memory that silicon refuses and the emulator does not: those that are not aligned.

Armv6-M (Cortex-M0+) faults on every access that is not aligned to its size. Armv7-M and Armv8-M allow it for
single loads and stores; those of several registers (LDM, STM, LDRD, STRD, PUSH, POP, the floating-point ones)
and exclusive ones fault where an address is no multiple of 4 (Armv6-M manual DDI 0419, A3.2; Armv7-M manual
DDI 0403, A3.2.1).
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import capstone
import unicorn
from unicorn import arm_const as arm

from edgeternary.cores import cortex_m as find_core
from edgeternary.data import firmware_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.run._emulator.machine import Machine
from edgeternary.toolchains import compilers

ACCESSES = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE
REFUSED = "not aligned"
SEVERAL = (
    "ldm",
    "stm",
    "ldrd",
    "strd",
    "push",
    "pop",
    "ldrex",
    "strex",
    "vldm",
    "vstm",
    "vldr",
    "vstr",
    "vpush",
    "vpop",
)
Seen = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_int)


class Alignment:
    """Checks the unaligned accesses of a machine, and stops it at the first one that its core refuses."""

    def __init__(self, machine: Machine, core: str) -> None:
        self._machine, self._never = machine, not find_core(core).unaligned
        self._decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        self._refused: dict[int, str] = {}  # by address of an instruction: its text, "" where it may

    def unaligned(self, address: int, size: int) -> None:
        pc = int(self._machine.uc.reg_read(arm.UC_ARM_REG_PC))
        if pc not in self._refused:
            self._refused[pc] = self._text(pc)
        if self._refused[pc]:
            self._machine.refuse(
                pc, f"accesses {address:#010x} ({size} bytes), which is {REFUSED}, with {self._refused[pc]}"
            )

    def _text(self, pc: int) -> str:
        """The instruction at `pc`, if the core refuses it an address that is not aligned."""
        found = next(self._decoder.disasm(self._machine.read(pc, 4), pc, 1), None)
        if found is None:
            return "an instruction"
        return f"{found.mnemonic} {found.op_str}" if self._never or found.mnemonic.startswith(SEVERAL) else ""


@contextmanager
def checked(machine: Machine, core: str) -> Iterator[None]:
    """Within the block an access that the core would refuse is a fault, and the machine about five times
    slower."""
    judge = Alignment(machine, core)
    remove = _hook(machine.uc, judge.unaligned)
    machine.uc.ctl_flush_tb()  # code that was translated before calls no hook
    try:
        yield
    finally:
        remove()
        machine.uc.ctl_flush_tb()


def _hook(uc: unicorn.Uc, seen: Callable[[int, int], None]) -> Callable[[], None]:
    """Call `seen(address, size)` for each unaligned access; returns what ends it."""
    library = _filter()
    if library is None:

        def access(_uc: Any, _kind: int, address: int, size: int, _value: int, _data: object) -> None:
            if address & (size - 1):
                seen(address, size)

        handle = uc.hook_add(ACCESSES, access)
        return lambda: uc.hook_del(handle)
    call = Seen(seen)
    pointer = ctypes.pointer(call)
    number = ctypes.c_size_t()
    engine: Any = __import__("unicorn.unicorn_py3.unicorn", fromlist=["uclib"]).uclib
    function = ctypes.cast(library.edgeternary_access, ctypes.c_void_p)
    everywhere = ctypes.c_uint64(1), ctypes.c_uint64(0)
    failed = engine.uc_hook_add(
        uc._uch, ctypes.byref(number), ctypes.c_int(ACCESSES), function, pointer, *everywhere
    )
    if failed:
        raise unicorn.UcError(failed)

    def remove() -> None:
        engine.uc_hook_del(uc._uch, number)
        _ = call, pointer  # alive until here

    return remove


@cache
def _filter() -> ctypes.CDLL | None:
    """The hook in C, built for this machine; None where nothing can build it, and Python does its work."""
    try:
        host = compilers.for_host("auto")
        shared = replace(host, compile=(*host.compile, "-fPIC", "-fvisibility=hidden"), link=("-shared",))
        text = (firmware_dir() / "unicorn" / "unaligned.c").read_text(encoding="utf-8")
        path: Path = compilers.build(shared, {"unaligned.c": text}, what="the hook of the emulator")
        return ctypes.CDLL(str(path))
    except (EdgeTernaryError, OSError):
        return None
