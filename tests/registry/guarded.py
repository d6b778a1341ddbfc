"""An emulated Cortex-M on which every access must lie in an object of the image, with gaps between tables.

A stray read of a table is silent on a core: flash answers everywhere. Here the linker puts every table on a
multiple of 64 bytes and fills the gaps between them, so that what reads a gap goes wrong; on an M0+ the read
itself is found, and the function named. The other cores have conditional instructions, after which the
emulator loses its way when memory is watched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from string import Template
from unittest.mock import patch

import unicorn
from unicorn import arm_const as arm

from edgeternary.image.elf import Elf
from edgeternary.run._emulator import image, measure
from edgeternary.run._emulator.image import Regions
from edgeternary.run._emulator.machine import Machine

GAP = 64
FILL = 0xB5B5B5B5
WATCHED = "cortex-m0plus"


class Guarded(Machine):
    """Reads and writes are checked byte by byte against the sizes of symbols."""

    def __init__(self, elf: Elf, core: str, regions: Regions) -> None:
        super().__init__(elf, core, regions)
        self.strays: list[str] = []
        if core == WATCHED:
            self._watch_memory(elf, regions)

    def _watch_memory(self, elf: Elf, regions: Regions) -> None:
        self._first = regions.flash.origin
        self._flash = bytearray(max(address + len(data) for address, data in elf.segments) - self._first)
        self._ram = regions.ram.origin
        self._variables = bytearray(elf.address("bss_end") - self._ram)
        low = elf.address("stack_bottom") - self._ram
        self._variables[low : elf.address("stack_top") - self._ram] = b"\1" * (
            elf.address("stack_top") - elf.address("stack_bottom")
        )
        for symbol in elf.symbols():
            for space, origin in ((self._flash, self._first), (self._variables, self._ram)):
                start = symbol.address - origin
                if symbol.size and 0 <= start < len(space):
                    space[start : start + symbol.size] = b"\1" * symbol.size
        self.uc.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self._check)

    def _check(
        self, uc: unicorn.Uc, access: int, address: int, size: int, _value: int, _data: object
    ) -> None:
        space, start = (
            (self._variables, address - self._ram)
            if address >= self._ram
            else (self._flash, address - self._first)
        )
        if start < 0 or space[start : start + size] != b"\1\1\1\1\1\1\1\1"[:size]:
            verb = "reads" if access == unicorn.UC_MEM_READ else "writes"
            where = self.elf.where(uc.reg_read(arm.UC_ARM_REG_PC))
            self.strays.append(f"{where} {verb} {address:#010x} ({size} bytes), where no object lies")

    def call(self, address: int, *arguments: int) -> None:
        super().call(address, *arguments)
        assert not self.strays, "\n".join(self.strays[:5])


def _with_gaps(text: str) -> Template:
    section, change = r"\.rodata\s*:\s*(\{[^}]*\}\s*>\s*\w+)", rf".rodata : SUBALIGN({GAP}) \1 ={FILL:#x}"
    text, count = re.subn(section, change, text)
    assert count == 1, "the linker script has no section of tables"
    return Template(text)


@contextmanager
def guards() -> Iterator[None]:
    """Images linked and machines made inside have guards."""
    with patch.object(image, "Template", _with_gaps), patch.object(measure, "Machine", Guarded):
        yield
