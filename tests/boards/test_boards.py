"""Board files: all of them are complete, and a bad one is refused by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeternary.boards import load_all, load_board
from edgeternary.boards.board import read_board
from edgeternary.cores import CORTEX_M
from edgeternary.errors import USAGE, EdgeTernaryError

GOOD = """
title = "A board"
kind = "mcu"
source = "its datasheet"
clock_hz = 1_000_000
core = "cortex-m4"
flash = { origin = 0, bytes = 0x1000 }
ram = { origin = 0x2000_0000, bytes = 0x1000 }
"""


@pytest.mark.parametrize("name", load_all())
def test_board_is_complete(name: str) -> None:
    board = load_board(name)
    assert board.name == name and board.title and len(board.source) > 20 and board.clock_hz >= 1_000_000
    if board.kind == "fpga":
        assert board.fpga and board.fpga.luts > 1000 and board.tools
        with pytest.raises(EdgeTernaryError, match="no processor core"):
            board.memory()
    else:
        flash, ram = board.memory()
        assert board.core in CORTEX_M and board.uart and board.uart.base
        assert flash.bytes >= 0x4000 and ram.bytes >= 0x1000 and flash.origin != ram.origin
    if board.kind == "emulated":
        assert board.emulator and board.emulator.qemu
    if board.kind == "mcu":
        assert board.tools and board.port


def test_names_are_forgiving() -> None:
    assert load_board("MPS2-AN385").name == "mps2_an385"
    with pytest.raises(EdgeTernaryError, match="known are") as error:
        load_board("zzz")
    assert error.value.code == USAGE


def test_the_nearest_names_are_told() -> None:
    with pytest.raises(EdgeTernaryError, match=r"the nearest are .*nucleo_l476rg"):
        load_board("nucleo_l467rg")


def test_a_board_file_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "my_board.toml"
    path.write_text(GOOD)
    assert load_board(str(path)).name == "my_board"
    with pytest.raises(EdgeTernaryError, match="No such file"):
        load_board(str(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("clock_hz = 1_000_000", ""), "clock_hz"),
        (("kind = ", "kid = "), "kid"),
        (('"mcu"', '"toaster"'), "toaster"),
        (("bytes = 0x1000 }\nram", 'bytes = "big" }\nram'), "flash.bytes"),
        (("title", "= title"), "line 2"),
        (("clock_hz = 1_000_000", "clock_hz = 0"), "more than 0"),
        (("core", "tools = { hammer = '' }\ncore"), "hammer"),
        (('core = "cortex-m4"', ""), "core, flash and ram"),
        (('"mcu"', '"fpga"'), "fpga: a table"),
    ],
)
def test_bad_files(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(GOOD)
    assert read_board(path).name == "one"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(EdgeTernaryError, match=message):
        read_board(path)
