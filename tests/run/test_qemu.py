"""Whole images on QEMU's boards: same bits, taps, faults on the UART, and models that do not fit."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from edgeternary.boards import Memory, load_all, load_board
from edgeternary.errors import DOES_NOT_FIT, USAGE, EdgeTernaryError
from edgeternary.run._options import Options
from edgeternary.run.qemu import emulated_board, execute
from tests.full import pairs
from tests.need import need
from tests.run import net

pytestmark = pytest.mark.system
BOARDS = ("mps2_an385", "mps2_an386", "mps2_an500", "mps2_an505", "mps3_an547")
TOOLS = {"zig": "zig", "gcc": "arm-none-eabi-gcc"}


@pytest.mark.parametrize(("board", "compiler"), pairs(BOARDS, ("gcc", "zig")))
def test_same_bits(board: str, compiler: str) -> None:
    need("qemu-system-arm", TOOLS[compiler])
    x = net.inputs(20)
    result = execute(net.GRAPH, x, load_board(board), net.model(taps=True), Options(compiler=compiler))
    outputs, taps = net.reference(x)
    np.testing.assert_array_equal(result.outputs, outputs)
    for name, expected in taps.items():
        np.testing.assert_array_equal(result.taps[name], expected)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize(
    "statement", ('__asm volatile("udf #0");', "*(volatile uint32_t *)0x5f000000u = 1u;")
)
def test_faults_are_told(board: str, statement: str) -> None:
    need("qemu-system-arm", "arm-none-eabi-gcc")
    broken = net.model(replace=("uint32_t word = 0;", f"uint32_t word = 0; {statement}"))
    with pytest.raises(EdgeTernaryError, match="fault at pc 0x"):
        execute(net.GRAPH, net.inputs(1), load_board(board), broken, Options(compiler="gcc"))


def test_endless_loop() -> None:
    need("qemu-system-arm", "arm-none-eabi-gcc")
    broken = net.model(replace=("uint32_t word = 0;", "uint32_t word = 0; for (;;) { }"))
    with pytest.raises(EdgeTernaryError, match="longer than"):
        execute(net.GRAPH, net.inputs(1), load_board(BOARDS[0]), broken, Options(compiler="gcc", timeout=2.0))


@pytest.mark.parametrize("region", ("flash", "ram"))
@pytest.mark.parametrize("compiler", ("gcc", pytest.param("zig", marks=pytest.mark.emulator)))
def test_too_big_for_the_board(region: str, compiler: str) -> None:
    need("qemu-system-arm", TOOLS[compiler])
    board = load_board("mps2_an386")
    memory = Memory(origin=getattr(board, region).origin, bytes=0x100)
    small = msgspec.structs.replace(board, **{region: memory})
    with pytest.raises(EdgeTernaryError, match="does not fit") as error:
        execute(net.GRAPH, net.inputs(1), small, net.model(), Options(compiler=compiler))
    assert error.value.code == DOES_NOT_FIT


def test_boards_that_qemu_lacks() -> None:
    assert emulated_board("").name in BOARDS
    for name in [board.name for board in load_all().values() if board.kind != "emulated"]:
        with pytest.raises(EdgeTernaryError, match="mps2_an385") as error:
            emulated_board(name)
        assert error.value.code == USAGE
