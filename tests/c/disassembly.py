"""What a linked model's code consists of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import capstone
from elftools.elf.elffile import ELFFile

MULTIPLY = ("mul", "mla", "mls", "smla", "sml", "smm", "smu", "umul", "umla", "umaal")


def instructions(path: Path, prefix: str) -> Iterator[tuple[str, str]]:
    """(function, instruction) of all functions whose names start with <prefix>_, literal pools left out.

    prefix  a regular expression
    """
    named = re.compile(rf"{prefix}_")
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    decoder.skipdata = True
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        symbols = list(elf.get_section_by_name(".symtab").iter_symbols())
        marks = sorted((s["st_value"], s.name[:2]) for s in symbols if s.name[:2] in ("$t", "$d"))
        for symbol in symbols:
            if symbol["st_info"]["type"] != "STT_FUNC" or not named.match(symbol.name):
                continue
            section = elf.get_section(symbol["st_shndx"])
            first = symbol["st_value"] & ~1
            start = first - section["sh_addr"]
            code = section.data()[start : start + symbol["st_size"]]
            pools = [address for address, kind in marks if kind == "$d" and address > first]
            code = code[: min(pools, default=first + len(code)) - first]
            for found in decoder.disasm(code, first):
                yield symbol.name, f"{found.mnemonic} {found.op_str}"


def multiplications(path: Path, prefix: str) -> list[str]:
    """'function: instruction' for each multiplication."""
    return [f"{name}: {text}" for name, text in instructions(path, prefix) if text.startswith(MULTIPLY)]
