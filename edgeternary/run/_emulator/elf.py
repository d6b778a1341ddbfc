"""The part of an ELF file that an emulator needs: what to load where, symbols, and section sizes."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from edgeternary.errors import EdgeTernaryError


@dataclass(frozen=True)
class Symbol:
    """A function, variable or mark of the linker script; the Thumb bit of a function is cleared."""

    name: str
    address: int
    size: int
    function: bool


class Elf:
    """A linked Arm image.

    segments        (load address, bytes) of each part, as a programmer would write it to flash
    functions       by address
    flash_bytes     text, read-only data and initial values of variables
    variable_bytes  data (with code that runs from RAM) and bss; the stack that the linker script reserves is
                    not among them
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                self._read(ELFFile(stream))
        except ELFError as error:
            raise EdgeTernaryError(f"{path} is no Arm image", str(error)) from error

    def _read(self, elf: ELFFile) -> None:
        loaded = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD" and s["p_filesz"]]
        self.segments: list[tuple[int, bytes]] = [(s["p_paddr"], s.data()) for s in loaded]

        symbols = [_symbol(s) for s in elf.get_section_by_name(".symtab").iter_symbols()]
        self._symbols = {s.name: s for s in symbols}
        self.functions = sorted((s for s in symbols if s.function), key=lambda s: (s.address, s.name))
        self._addresses = [f.address for f in self.functions]

        sections = [s for s in elf.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC]
        # A .data that holds nothing but code that runs from RAM is not marked as writable.
        in_ram = [s for s in sections if s["sh_flags"] & SH_FLAGS.SHF_WRITE or s.name == ".data"]
        writable = [s for s in in_ram if s.name != ".stack"]
        self.flash_bytes = sum(int(s["sh_size"]) for s in sections if s["sh_type"] != "SHT_NOBITS")
        self.variable_bytes = sum(int(s["sh_size"]) for s in writable)

    def symbol(self, name: str) -> Symbol:
        if name not in self._symbols:
            raise EdgeTernaryError(f"{self.path} has no symbol {name}", "the image was linked without it")
        return self._symbols[name]

    def address(self, name: str) -> int:
        return self.symbol(name).address

    def function_at(self, address: int) -> Symbol | None:
        """The function that holds an address."""
        index = bisect.bisect_right(self._addresses, address) - 1
        if index >= 0:
            function = self.functions[index]
            if address < function.address + max(function.size, 1):
                return function
        return None

    def where(self, address: int) -> str:
        """`name+0x12` of the function that holds an address, else the address."""
        function = self.function_at(address)
        return f"{function.name}+{address - function.address:#x}" if function else f"{address:#010x}"


def _symbol(entry: Any) -> Symbol:
    function = entry["st_info"]["type"] == "STT_FUNC"
    value = int(entry["st_value"])
    name, size = entry.name, int(entry["st_size"])
    return Symbol(name, value & ~1 if function else value, size, function)
