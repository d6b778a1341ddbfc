"""Linking a model and the bench into one image for a Cortex-M."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

from edgeternary.boards import Board, Memory
from edgeternary.data import firmware_dir
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.image.elf import Elf
from edgeternary.run._bench import BenchModel, empty_model
from edgeternary.toolchains import compilers

STACK_BYTES = 0x10000
PORT = (
    "core/memory.c",
    "ports/cortex_m/startup.c",
    "ports/cortex_m/semihosting.c",
    "ports/cortex_m/port.h",
    "ports/cortex_m/print.c",
)
SHARED = ("core/bench.h", *PORT, "core/taps_watched.c")  # they know nothing of a model
TAPS = {"none": (), "watched": ("core/taps_watched.c",), "written": ("core/taps.c",)}


@dataclass(frozen=True)
class Regions:
    """Where code and variables go, and the serial port that faults are told on."""

    flash: Memory
    ram: Memory
    uart: int

    @staticmethod
    def of(board: Board) -> Regions:
        flash, ram = board.memory()
        return Regions(flash, ram, board.uart.base if board.uart else 0)


# Room for any model. Address 0 stays empty, so that a null pointer faults.
ROOMY = Regions(
    flash=Memory(origin=0x10_0000, bytes=0xF0_0000),
    ram=Memory(origin=0x2000_0000, bytes=0x400_0000),
    uart=0x4000_4000,
)


@dataclass(frozen=True)
class Image:
    """A linked image.

    flash_bytes     text, read-only data and data, less the same image without a model
    variable_bytes  data and bss: the model, its input and its output
    """

    elf: Elf
    model: BenchModel
    regions: Regions
    compiler: str
    flash_bytes: int
    variable_bytes: int


def link(
    model: BenchModel,
    core: str,
    regions: Regions = ROOMY,
    *,
    compiler: str = "auto",
    opt_level: str = "2",
    taps: str = "none",
) -> Image:
    """Build the image of `model` for `core`.

    taps  none; watched (an emulator hooks edgeternary_tap); written (to the file taps.bin)

    EdgeTernaryError with exit code 5 when it does not fit the regions.
    """
    chosen = compilers.for_core(core, compiler, opt_level)
    elf = _link(model, chosen, regions, taps)
    empty = _link(empty_model(), chosen, regions, "none")
    return Image(elf, model, regions, str(chosen), elf.flash_bytes - empty.flash_bytes, elf.variable_bytes)


def _link(model: BenchModel, compiler: compilers.Compiler, regions: Regions, taps: str) -> Elf:
    sources = model.bench_sources((*PORT, *TAPS[taps]))
    sources["system/string.h"] = (firmware_dir() / "core/system/string.h").read_text(encoding="utf-8")
    template = Template((firmware_dir() / "ports/cortex_m/image.ld.in").read_text(encoding="utf-8"))
    script = template.substitute(
        flash_origin=hex(regions.flash.origin),
        flash_bytes=hex(regions.flash.bytes),
        ram_origin=hex(regions.ram.origin),
        ram_bytes=hex(regions.ram.bytes),
        stack_bytes=hex(STACK_BYTES),
    )
    try:
        path = compilers.build(
            compiler,
            sources,
            defines=(f"UART_BASE={regions.uart:#x}u",),
            link_script=script,
            shared={"system/string.h", *(f"bench/{Path(name).name}" for name in SHARED)} & sources.keys(),
            what=f"model {model.prefix}",
        )
    except EdgeTernaryError as error:
        if "overflowed" in error.why:
            raise EdgeTernaryError(
                f"model {model.prefix} does not fit",
                f"{error.why}\nflash holds {regions.flash.bytes:,} bytes, RAM {regions.ram.bytes:,}",
                "choose a larger board or a smaller model",
                DOES_NOT_FIT,
            ) from error
        raise
    return _read(path)


@lru_cache(maxsize=8)  # builds are named after their content
def _read(path: Path) -> Elf:
    return Elf(path)
