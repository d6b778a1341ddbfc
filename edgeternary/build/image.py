"""Compiling, linking and stamping the image of a model for a board."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Template

from edgeternary.boards import Board
from edgeternary.build import image_sources as sources
from edgeternary.build import image_stack as stack
from edgeternary.build.image_sources import SelfTest
from edgeternary.c.plan import Plan
from edgeternary.cores import cortex_m
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.image import formats
from edgeternary.image.elf import Elf
from edgeternary.image.header import find, stamp
from edgeternary.toolchains import cache, compilers, process
from edgeternary.toolchains.compilers import Compiler

FIRST_STACK = 1024  # bytes, until the bound is known
WORKERS = 2
OPTIONS = {"boot_stage.c": ("-Os",)}  # a boot stage has 252 bytes, whatever the rest is optimised for
OVERFLOW = re.compile(r"region [`']?(FLASH|RAM)'?:? overflowed by (\d+) bytes")


class Overflow(EdgeTernaryError):
    """The image does not fit: `needed` bytes of `region`, "flash" or "ram"."""

    def __init__(self, board: Board, region: str, needed: int, why: str) -> None:
        flash, ram = board.memory()
        self.region, self.needed = region.lower(), needed
        there = flash.bytes if self.region == "flash" else ram.bytes
        super().__init__(
            f"the image does not fit {board.title}",
            f"it needs {needed:,} bytes of {region}, and there are {there:,}: {why}",
            "a larger board or a smaller model",
            DOES_NOT_FIT,
        )


@dataclass(frozen=True)
class Image:
    """A finished image.

    elf, hex, bin, uf2  the files' contents; uf2 is empty for a chip that takes none
    digest        64 hexadecimal digits, as in the header and in hello
    sections      {section: bytes}
    stack_bytes   that are reserved: the static bound
    compiler      name and version
    """

    elf: bytes
    hex: str
    bin: bytes
    uf2: bytes
    digest: str
    sections: dict[str, int]
    stack_bytes: int
    compiler: str


def link(
    plan: Plan,
    board: Board,
    built_by: str,
    *,
    compiler: str = "auto",
    opt_level: str = "2",
    test: SelfTest | None = None,
    spare: int = 0,
) -> Image:
    """The image of `plan` for `board`; `built_by` is the last line of its hello, `spare` bytes of stack are
    reserved beyond the bound.

    Overflow (exit code 5) when it does not fit; EdgeTernaryError for a board without a port.
    """
    chosen = compilers.for_core(board.core, compiler, opt_level)
    units = _units(plan, board, built_by, test)
    with ThreadPoolExecutor(WORKERS) as pool:
        objects = list(pool.map(lambda unit: _object(chosen, unit[0], unit[1]), units.items()))
    elf = _link(chosen, board, objects, FIRST_STACK)
    size = stack.bound(elf, cortex_m(board.core).vectors) + spare
    if size != FIRST_STACK:
        elf = _link(chosen, board, objects, size)
    return _finish(elf, board, size, str(chosen))


def _units(plan: Plan, board: Board, built_by: str, test: SelfTest | None) -> dict[str, dict[str, str]]:
    """{name of a translation unit: its text and what it may include, by name}."""
    common, board_own = sources.headers(), sources.board_files(board)
    board_header = {"board.h": board_own.pop("board.h")}
    own = sources.model_files(plan, board, built_by, test)
    model_headers = {name: own.pop(name) for name in list(own) if name.endswith(".h")}
    units = {name: {**common, **board_header, name: text} for name, text in board_own.items()}
    units |= {name: {**common, **board_header, **model_headers, name: text} for name, text in own.items()}
    for name in sources.COMMON:
        del units[name]["board.h"]  # so that all boards with a core share them
    return units


def _object(compiler: Compiler, unit: str, files: Mapping[str, str]) -> Path:
    """The object of a translation unit; one from the cache if all that it depends on is the same."""
    names = [PurePosixPath(name) for name in files if not name.startswith("core/system")]
    folders = sorted({str(name.parent) for name in names})
    own = OPTIONS.get(PurePosixPath(unit).name, ())
    options = (*compiler.compile, *own, *(f"-I{folder}" for folder in folders), "-isystem", "core/system")
    parts = [str(compiler), *compiler.command[1:], "|", *options, "|", unit]
    parts += [text for item in sorted(files.items()) for text in item]

    def fill(folder: Path) -> None:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        command = [*compiler.command, *options, "-c", unit, "-o", "unit.o"]
        what = f"compiling {PurePosixPath(unit).name} with {compiler}"
        process.run(command, what=what, cwd=folder, env=cache.zig_environment())

    return cache.build(cache.digest(*parts), fill, "objects") / "unit.o"


def _link(compiler: Compiler, board: Board, objects: list[Path], stack_bytes: int) -> Elf:
    flash, ram = board.memory()
    script = Template(sources.link_script()).substitute(
        flash_origin=hex(flash.origin),
        flash_bytes=hex(flash.bytes),
        ram_origin=hex(ram.origin),
        ram_bytes=hex(ram.bytes),
        stack_bytes=stack_bytes,
    )
    key = cache.digest(str(compiler), *compiler.link, script, *(path.parent.name for path in objects))

    def fill(folder: Path) -> None:
        (folder / "link.ld").write_text(script, encoding="utf-8")
        command: list[str | Path] = [*compiler.command, *compiler.compile, *objects]
        command += ["-Wl,--gc-sections", "-T", "link.ld", *compiler.link, "-o", "image.elf"]
        what = f"linking the image for {board.title} with {compiler}"
        process.run(command, what=what, cwd=folder, env=cache.zig_environment())

    try:
        return Elf(cache.build(key, fill, "images") / "image.elf")
    except EdgeTernaryError as error:
        if found := OVERFLOW.findall(error.why):
            region, beyond = found[-1]
            there = flash.bytes if region == "FLASH" else ram.bytes
            raise Overflow(board, region.lower(), there + int(beyond), "stack, link and model") from error
        raise


def _finish(elf: Elf, board: Board, stack_bytes: int, compiler: str) -> Image:
    """Writes length, digest and CRC into the image, and makes all its formats."""
    address, linked = formats.flat(elf.segments)
    image = stamp(linked)
    header = find(image)
    family = formats.FAMILIES.get(board.port)
    return Image(
        elf=elf.patched(address, image),
        hex=formats.hex_text(address, image, elf.entry),
        bin=image,
        uf2=formats.uf2(address, image, family) if family else b"",
        digest=header.digest,
        sections=elf.sections,
        stack_bytes=stack_bytes,
        compiler=compiler,
    )
