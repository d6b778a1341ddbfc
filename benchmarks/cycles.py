"""Modelled cycles beside cycles that others measured on a chip: programs of other projects, as linked images.

published/cycles.toml names the programs. Their code is not here: a folder holds one image a file, which
whoever repeats the comparison has built from the project that the table names.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.published import FOLDER
from edgeternary.boards import Memory
from edgeternary.cores import CORTEX_M
from edgeternary.errors import USAGE, EdgeTernaryError
from edgeternary.image.elf import Elf
from edgeternary.run._emulator import qemu
from edgeternary.run._emulator.count import Counter
from edgeternary.run._emulator.image import Regions
from edgeternary.run._emulator.linear import Linear
from edgeternary.run._emulator.machine import Machine
from edgeternary.run._emulator.measured import Count
from edgeternary.run._emulator.timing import COMPARED
from edgeternary.run._emulator.timing.pipeline import Pipeline
from edgeternary.run._emulator.timing.waits import Fetch

FLASH, RAM = Memory(origin=0x10_0000, bytes=0xF0_0000), Memory(origin=0x2000_0000, bytes=0x400_0000)
BUFFERS, STACK = RAM.origin + 0x80_0000, (RAM.origin + 0x100_0000, RAM.origin + 0x110_0000)
STOP = FLASH.origin + FLASH.bytes - 0x100  # a call returns here
LIMIT = 300.0  # seconds
RUNS_ON = {"cortex-m0": "cortex-m0plus"}  # the same instructions

Call = tuple[str | int, ...]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A project, and where it says what it measured.

    url, commit  of its code;  measured  where its cycles are published
    """

    url: str
    commit: str
    measured: str


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One function that was measured on a chip.

    wait_states, line  of its flash when it was measured, with its prefetcher; bytes that it reads at once
    image   file in the folder, without .elf: code from FLASH on, constants and variables from RAM on; of a
            core that QEMU runs, an image of its emulated board, which calls the function and ends
    call    the function and its arguments: a number, or "name:bytes" for a buffer, filled with numbers drawn
            by a seed; the same name is the same buffer
    before  calls that are not counted, such as the one that expands a key
    cycles  as published, of `per` units of work in one call
    """

    name: str
    source: str
    core: str
    chip: str
    wait_states: int = 0
    line: int = 4
    image: str
    call: Call
    before: tuple[Call, ...] = ()
    cycles: float
    per: float = 1


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sources: dict[str, Source]
    programs: tuple[Program, ...]


def table() -> Table:
    """What was published, in the order of the page."""
    content: Any = tomllib.loads((FOLDER / "cycles.toml").read_text(encoding="utf-8"))
    return msgspec.convert(content, Table)


def measure(folder: Path, only: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
    """A row for each program whose image is in `folder`; EdgeTernaryError (code 2) where there is none."""
    found = 0
    for program in table().programs:
        image = folder / f"{program.image}.elf"
        words = f"{program.core} {program.name} {program.image} {program.source}"
        if image.is_file() and (not only or any(word in words for word in only)):
            found += 1
            yield row(program, run(program, image))
    if not found:
        names = sorted({program.image for program in table().programs})
        raise EdgeTernaryError(
            f"{folder} holds no image of the table", f"looked for {', '.join(names)} with the ending .elf",
            "docs/cycles.md says what an image is", USAGE,
        )  # fmt: skip


def row(program: Program, count: Count) -> dict[str, Any]:
    """What the table and the page print of a program: `error` is modelled over published, less one."""
    assert count.cycles is not None
    modelled = count.cycles / program.per
    return {
        "core": program.core, "program": program.name, "source": program.source, "image": program.image,
        "chip": program.chip, "wait_states": program.wait_states, "line": program.line,
        "instructions": round(count.instructions / program.per, 1), "published": program.cycles,
        "modelled": round(modelled, 1),
        "error": round(modelled / program.cycles - 1, 4),
    }  # fmt: skip


class _Image(Elf):
    """An image without a startup of its own: the marks that an emulated machine needs lie beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        cuts = [(address, data, max(FLASH.origin - address, 0)) for address, data in self.segments]
        self.segments = [(address + cut, data[cut:]) for address, data, cut in cuts]  # the file's header

    def address(self, name: str) -> int:
        marks = {"main": STOP, "Reset_Handler": STOP, "stack_bottom": STACK[0], "stack_top": STACK[1]}
        return marks[name] if name in marks else super().address(name) & ~1


def run(program: Program, path: Path) -> Count:
    """Instructions and cycles of the call, from its entry to its return."""
    if program.core in CORTEX_M and not CORTEX_M[program.core].unicorn:
        return _in_qemu(program, Elf(path))
    elf = _Image(path)
    machine = Machine(elf, RUNS_ON.get(program.core, program.core), Regions(FLASH, RAM, 0))
    buffers = _buffers(program)
    for name, (address, size) in buffers.items():
        machine.write(address, np.random.default_rng(len(name)).bytes(size))
    fetch = Fetch(program.wait_states, program.line) if program.wait_states else None
    counter = Counter(machine, {}, elf.address(str(program.call[0])), COMPARED[program.core], fetch)
    with machine.time_limit(LIMIT):
        for call in (*program.before, program.call):
            counter.reset()
            function, *arguments = call
            values = [a if isinstance(a, int) else buffers[a.partition(":")[0]][0] for a in arguments]
            machine.call(elf.address(str(function)), *values)
    counter.returned()
    return sum(counter.layers().values(), Count(0, 0, 0))


def _in_qemu(program: Program, elf: Elf) -> Count:
    """The same for an image that starts, calls the function and ends by itself."""
    board = qemu.board_of(program.core)
    found = qemu.run(elf, board, f"start={elf.address(str(program.call[0])) & ~1:#x}", {}, LIMIT)
    model = COMPARED[program.core]
    assert isinstance(model, Pipeline)
    return Count(sum(runs for runs, _ in found.at.values()), Linear(elf, model).cycles(found.at))


def _buffers(program: Program) -> dict[str, tuple[int, int]]:
    """{name: (address, bytes)} of the buffers that the calls name, each at a multiple of 64 bytes."""
    found: dict[str, tuple[int, int]] = {}
    at = BUFFERS
    for call in (*program.before, program.call):
        for argument in call[1:]:
            if isinstance(argument, str) and ":" in argument:
                name, _, size = argument.partition(":")
                if name not in found:
                    found[name] = at, int(size)
                    at += (int(size) + 63) // 64 * 64
    return found
