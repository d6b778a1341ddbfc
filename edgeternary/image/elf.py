"""The parts of an ELF file that an emulator needs: segments, symbols, and sizes of sections."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeternary.errors import EdgeTernaryError

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile


@dataclass(frozen=True)
class Symbol:
    """A function, a variable or a mark of the linker script. The Thumb bit of a function is cleared."""

    name: str
    address: int
    size: int
    function: bool


class Elf:
    """A linked Arm image.

    segments        (load address, bytes) of each part that is written to flash
    sections        {name: bytes}
    entry           address at which the core starts
    functions       functions, ordered by address
    objects         variables and constants
    flash_bytes     bytes of text, read-only data and initial values of variables
    variable_bytes  bytes of data (with code that runs from RAM) and bss, without the reserved stack
    """

    def __init__(self, path: Path) -> None:
        from elftools.elf.elffile import ELFFile

        self.path = path
        try:
            with path.open("rb") as stream:
                self._read(ELFFile(stream))
        except Exception as error:  # pyelftools raises many types for a damaged file
            why = str(error) or type(error).__name__
            raise EdgeTernaryError(f"{path} is not an Arm image", why, "build it again") from error

    def _read(self, elf: ELFFile) -> None:
        from elftools.elf.constants import SH_FLAGS

        loaded = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD" and s["p_filesz"]]
        self.segments: list[tuple[int, bytes]] = [(s["p_paddr"], s.data()) for s in loaded]
        self._offsets = [(int(s["p_paddr"]), int(s["p_filesz"]), int(s["p_offset"])) for s in loaded]

        self.entry = int(elf["e_entry"])
        table = elf.get_section_by_name(".symtab")
        if table is None:
            raise EdgeTernaryError("it has no symbols")
        symbols = [_symbol(s) for s in table.iter_symbols()]
        self._marks = sorted((s.address & ~1, s.name[1]) for s in symbols if s.name[:2] in ("$t", "$d", "$a"))
        self._all, self._symbols = symbols, {s.name: s for s in symbols}
        self.functions = sorted((s for s in symbols if s.function), key=lambda s: (s.address, s.name))
        self.objects = [s for s in symbols if s.size and not s.function]
        self._addresses = [f.address for f in self.functions]

        sections = [s for s in elf.iter_sections() if s["sh_flags"] & SH_FLAGS.SHF_ALLOC]
        # A .data section with only code that runs from RAM is not marked as writable.
        in_ram = [s for s in sections if s["sh_flags"] & SH_FLAGS.SHF_WRITE or s.name == ".data"]
        writable = [s for s in in_ram if s.name != ".stack"]
        self.sections = {s.name: int(s["sh_size"]) for s in sections if s["sh_size"]}
        self._places = [
            (int(s["sh_addr"]), s.data()) for s in sections if s["sh_type"] != "SHT_NOBITS" and s["sh_size"]
        ]
        self.flash_bytes = sum(int(s["sh_size"]) for s in sections if s["sh_type"] != "SHT_NOBITS")
        self.variable_bytes = sum(int(s["sh_size"]) for s in writable)

    def symbol(self, name: str) -> Symbol:
        if name not in self._symbols:
            raise EdgeTernaryError(f"{self.path} has no symbol {name}", "the image was linked without it")
        return self._symbols[name]

    def symbols(self) -> Iterator[Symbol]:
        """All functions, variables and marks. Static ones of several units may have the same name."""
        return iter(self._all)

    def address(self, name: str) -> int:
        return self.symbol(name).address

    def function_at(self, address: int) -> Symbol | None:
        """The function that contains an address; None if there is none."""
        index = bisect.bisect_right(self._addresses, address) - 1
        if index >= 0:
            function = self.functions[index]
            if address < function.address + max(function.size, 1):
                return function
        return None

    def read(self, address: int, size: int) -> bytes:
        """The initial content of memory. EdgeTernaryError for addresses that no section holds."""
        for first, data in self._places:
            if first <= address and address + size <= first + len(data):
                return bytes(data[address - first : address - first + size])
        raise EdgeTernaryError(f"{self.path} has no content at {address:#010x}", "no section holds it")

    def patched(self, address: int, image: bytes) -> bytes:
        """The bytes of the file with the content of `image`, which begins at `address`."""
        data = bytearray(self.path.read_bytes())
        for where, size, offset in self._offsets:
            data[offset : offset + size] = image[where - address : where - address + size]
        return bytes(data)

    def instructions(self, function: Symbol) -> Iterator[Any]:
        """The instructions of a function, as capstone decodes them. Tables between them are left out."""
        import capstone

        decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        for at, end in self._code(function.address, function.address + function.size):
            while at < end:
                for insn in decoder.disasm(self.read(at, end - at), at):
                    yield insn
                    at += insn.size
                if at < end:  # a Helium instruction that capstone does not know
                    wide = int.from_bytes(self.read(at, 2), "little") >> 11 in (0b11101, 0b11110, 0b11111)
                    at += 4 if wide else 2

    def _code(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The ranges of [start, end) that hold instructions, by the compiler's marks $t and $d."""
        index = bisect.bisect_right(self._marks, (start, "~")) - 1
        for at in range(max(index, 0), len(self._marks)):
            first, kind = self._marks[at]
            following = self._marks[at + 1][0] if at + 1 < len(self._marks) else end
            if first >= end:
                return
            if kind != "d" and following > start:
                yield max(first, start), min(following, end)

    def where(self, address: int) -> str:
        """`name+0x12` for an address in a function; else the address."""
        function = self.function_at(address)
        return f"{function.name}+{address - function.address:#x}" if function else f"{address:#010x}"


def _symbol(entry: Any) -> Symbol:
    function = entry["st_info"]["type"] == "STT_FUNC"
    value = int(entry["st_value"])
    name, size = entry.name, int(entry["st_size"])
    return Symbol(name, value & ~1 if function else value, size, function)
