"""Instructions that are decoded one by one, each once, are what capstone makes of the whole block."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._emulator.decode import Decoder, decoder, instruction
from tests.need import need

pytestmark = pytest.mark.emulator
ADD, WIDE_ADD, LOAD, BRANCH, CALL, LITERAL = 0x3001, 0x0001F100, 0x6808, 0xE7FD, 0xF800F000, 0x4801


@pytest.fixture(autouse=True)
def tools() -> None:
    need("unicorn", "capstone")


def code(*words: int) -> bytes:
    """Instructions of 16 bits, and of 32 with their first half low."""
    return b"".join(word.to_bytes(2 if word >> 16 == 0 else 4, "little") for word in words)


def check(text: bytes, address: int) -> None:
    machine: Any = SimpleNamespace(read=lambda at, size: text[at - address : at - address + size])
    whole = tuple(instruction(one) for one in decoder().disasm(text, address))
    assert sum(one.size for one in whole) == len(text)
    assert Decoder(cast(Any, machine)).block(address, len(text)).instructions == whole


@pytest.mark.parametrize("mask", range(1, 16))
def test_conditional_instructions(mask: int) -> None:
    for address in (0x10_0000, 0x10_0002):
        after = (ADD, WIDE_ADD, LOAD, ADD, WIDE_ADD, ADD)
        check(code(ADD, 0xBF10 | mask, *after), address)
        check(code(0xBF00 | mask, *after[:2], 0xBF00), address)  # the block ends before its last one


def test_what_is_relative_to_its_address() -> None:
    for address in (0x10_0000, 0x10_0006, 0x10_1000):
        check(code(LITERAL, CALL, ADD, BRANCH), address)


def test_bytes_that_are_no_instruction() -> None:
    elf = SimpleNamespace(where=hex)
    text = code(ADD, 0xFFFFFFFF, ADD)
    machine: Any = SimpleNamespace(read=lambda at, size: text, elf=elf)
    for _ in range(2):
        with pytest.raises(EdgeTernaryError, match=r"understood 2 of its 8 bytes"):
            Decoder(machine).block(0x10_0000, len(text))
