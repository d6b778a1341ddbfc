"""What the ports leave in the registers of clocks, pins and serial ports, read as the manuals have it.

The start-up runs in an emulated core whose peripherals are plain memory: it waits in vain for every flag, and
must come to main() nevertheless.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edgeternary.boards import Board, load_all, load_board
from edgeternary.cores import cortex_m as core
from edgeternary.image.elf import Elf
from tests.firmware import images
from tests.need import need

pytestmark = [pytest.mark.system, pytest.mark.emulator]
CHIPS = [name for name, board in load_all().items() if board.core and core(board.core).unicorn]
PERIPHERALS = (
    (0x4000_0000, 0x31_0000), (0x4800_0000, 0x1_0000), (0x5000_0000, 0x90_0000), (0x5200_0000, 0x1_0000),
    (0x5800_0000, 0x10_0000), (0xE000_0000, 0x10_0000),
)  # fmt: skip
ENOUGH = 60_000_000  # instructions
MHZ = 1_000_000

Read = Callable[[int], int]


@cache
def started(name: str) -> Read:
    """Reads a register as it is when main() begins."""
    import unicorn
    from unicorn import arm_const as arm

    board = load_board(name)
    with TemporaryDirectory() as folder:
        elf = Elf(images.elf(Path(folder), "mnist-mlp-100", board))
    uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    uc.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_{core(board.core).unicorn}"))
    flash, ram = board.memory()
    regions = [(flash.origin, flash.bytes), (ram.origin, ram.bytes), *PERIPHERALS]
    for origin, size in regions:
        uc.mem_map(origin, -(-size // 4096) * 4096)
    for address, data in elf.segments:
        uc.mem_write(address, data)
    uc.reg_write(arm.UC_ARM_REG_SP, elf.address("stack_top"))
    uc.emu_start(elf.address("Reset_Handler") | 1, elf.address("main"), count=ENOUGH)
    assert uc.reg_read(arm.UC_ARM_REG_PC) == elf.address("main"), "the start-up hangs"
    return lambda address: int.from_bytes(uc.mem_read(address, 4), "little")


def bits(word: int, high: int, low: int) -> int:
    return word >> low & (1 << high - low + 1) - 1


def stm32f0(read: Read, board: Board) -> tuple[float, float]:
    """RM0360, 7.4.2: PLLMUL 2..16 times half of 8 MHz; RM0360, 23.8.4: BRR."""
    word = read(0x4002_1004)
    assert bits(word, 1, 0) == 2
    clock = 4 * (bits(word, 21, 18) + 2)
    return clock, clock * MHZ / read(board.uart.base + 0x0C)  # type: ignore[union-attr]


def stm32f1(read: Read, board: Board) -> tuple[float, float]:
    """RM0041, 7.3.2 and 23.6.3."""
    word = read(0x4002_1004)
    assert bits(word, 1, 0) == 2
    clock = 4 * (bits(word, 21, 18) + 2)
    return clock, clock * MHZ / read(board.uart.base + 8)  # type: ignore[union-attr]


def stm32f4(read: Read, board: Board) -> tuple[float, float]:
    """RM0090, 7.3.2 and 7.3.3: 16 MHz / M x N / P; APB1 up to 42, APB2 up to 84 MHz."""
    pll, word = read(0x4002_3804), read(0x4002_3808)
    vco = 16 / bits(pll, 5, 0) * bits(pll, 14, 6)
    assert 1 <= 16 / bits(pll, 5, 0) <= 2 and 100 <= vco <= 432 and bits(word, 1, 0) == 2
    clock = vco / (2 * (bits(pll, 17, 16) + 1))
    slow, fast = (clock / (1 << max(0, bits(word, low + 2, low) - 3)) for low in (10, 13))
    assert slow <= 42 and fast <= 84 and bits(read(0x4002_3C00), 3, 0) == 5
    base = board.uart.base  # type: ignore[union-attr]
    return clock, (fast if base >= 0x4001_0000 else slow) * MHZ / read(base + 8)


def stm32l4(read: Read, board: Board) -> tuple[float, float]:
    """RM0351, 6.4.4: 16 MHz / M x N / R."""
    pll = read(0x4002_100C)
    vco = 16 / (bits(pll, 6, 4) + 1) * bits(pll, 14, 8)
    assert bits(pll, 1, 0) == 2 and bits(pll, 24, 24) and 64 <= vco <= 344
    assert bits(read(0x4002_1008), 1, 0) == 3 and bits(read(0x4002_2000), 2, 0) == 4
    clock = vco / (2 * (bits(pll, 26, 25) + 1))
    return clock, clock * MHZ / read(board.uart.base + 0x0C)  # type: ignore[union-attr]


def stm32h7(read: Read, board: Board) -> tuple[float, float]:
    """RM0433, 8.7: 64 MHz / M x N / P; AHB at most 200, APB at most 100 MHz; serial ports on the 64 MHz."""
    select, dividers = read(0x5802_4428), read(0x5802_4430)
    into = 64 / bits(select, 9, 4)
    vco = into * (bits(dividers, 8, 0) + 1)
    assert 8 <= into <= 16 and 192 <= vco <= 836 and bits(select, 1, 0) == 0
    clock = vco / (bits(dividers, 15, 9) + 1)
    ahb = clock / (2 if bits(read(0x5802_4418), 3, 0) == 8 else 1)
    assert ahb <= 200 and bits(read(0x5802_4410), 2, 0) == 3 and bits(read(0x5802_4454), 2, 0) == 3
    assert all(bits(word, 6, 4) == 4 for word in map(read, (0x5802_4418, 0x5802_441C, 0x5802_4420)))
    return clock, 64 * MHZ / read(board.uart.base + 0x0C)  # type: ignore[union-attr]


def nrf(read: Read, board: Board) -> tuple[float, float]:
    """The clock is fixed; BAUDRATE counts 16 MHz / 2^32."""
    assert board.uart
    pin = int(board.uart.tx.split(".")[1])
    assert read(board.uart.base + 0x50C) == pin
    assert read(board.uart.base + 0x500) == (4 if board.uart.kind == "nrf" else 8)
    return board.clock_hz / MHZ, read(board.uart.base + 0x524) * 16 * MHZ / 2**32


def nrf5340(read: Read, board: Board) -> tuple[float, float]:
    assert read(0x5000_5558) == 0 and read(0x5000_1500) == 1  # 128 MHz, cache on
    return nrf(read, board)


def rp2040(read: Read, board: Board) -> tuple[float, float]:
    """RP2040 datasheet, 2.18.2 and 4.2.7.1."""
    dividers = read(0x4002_800C)
    vco = 12 * read(0x4002_8008)
    assert 750 <= vco <= 1600 and read(0x4000_803C) == 1
    clock = vco / bits(dividers, 18, 16) / bits(dividers, 14, 12)
    assert board.uart and read(0x4001_4004) == read(0x4001_400C) == 2
    divisor = read(board.uart.base + 0x24) + read(board.uart.base + 0x28) / 64
    return clock, clock * MHZ / (16 * divisor)


def mps2(read: Read, board: Board) -> tuple[float, float]:
    assert board.uart
    return board.clock_hz / MHZ, board.clock_hz / read(board.uart.base + 0x10)


MODELS: dict[str, Callable[[Read, Board], tuple[float, float]]] = {
    "stm32f0": stm32f0, "stm32f1": stm32f1, "stm32f4": stm32f4, "stm32l4": stm32l4, "stm32h7": stm32h7,
    "nrf51": nrf, "nrf52": nrf, "nrf5340": nrf5340, "rp2040": rp2040, "mps2": mps2,
}  # fmt: skip
GPIO = {"stm32f0": 0x4800_0000, "stm32f4": 0x4002_0000, "stm32l4": 0x4800_0000, "stm32h7": 0x5802_0000}


@pytest.mark.parametrize("name", CHIPS)
def test_clock_and_baud(name: str) -> None:
    need("unicorn", "arm-none-eabi-gcc|zig")
    board, read = load_board(name), started(name)
    assert board.uart
    clock, baud = MODELS[board.port](read, board)
    assert clock == board.clock_hz / MHZ
    assert abs(baud / board.uart.baud - 1) < 0.005  # of the 2 % or so that a frame of ten bits allows
    if board.uart.enable:
        address, bit = board.uart.enable
        assert bits(read(address), bit, bit)


@pytest.mark.parametrize("name", [name for name in CHIPS if load_board(name).port in GPIO])
def test_pins(name: str) -> None:
    """RM0090, 8.4: MODER 2, and the number of the function in AFRL or AFRH."""
    need("unicorn", "arm-none-eabi-gcc|zig")
    board, read = load_board(name), started(name)
    assert board.uart
    for pin in (board.uart.tx, board.uart.rx):
        found = re.fullmatch(r"P([A-K])(\d+)", pin)
        assert found
        base, number = GPIO[board.port] + 0x400 * (ord(found[1]) - ord("A")), int(found[2])
        assert bits(read(base), 2 * number + 1, 2 * number) == 2
        low = 4 * (number % 8)
        assert bits(read(base + 0x20 + number // 8 * 4), low + 3, low) == board.uart.alternate
