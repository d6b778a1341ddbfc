"""Running and counting a linked model in QEMU, for a core that the other emulator lacks."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeternary.boards import Board, Memory, load_all
from edgeternary.data import firmware_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph
from edgeternary.run._bench import encode_inputs, exchange_bytes
from edgeternary.run._emulator.image import Image
from edgeternary.run._emulator.measured import Count, Measured, step_functions, steps_of
from edgeternary.run._emulator.timing import for_core
from edgeternary.toolchains import compilers, find, require
from edgeternary.toolchains import run as start

COPROCESSOR = 0xEE00, 0xEC00  # mask and bits of the first halfword of loads and stores of vector registers
ROOT = 0  # the layer of <model>_run itself; step i is layer i + 1


@dataclass(frozen=True)
class Counts:
    """What the plugin counted.

    at      {address: (times it ran, times something else than the next instruction ran after it)}
    calls   (index of a step, instructions with what it calls) for each call, in order; first -1, the run
            function itself
    lowest  address of the stack that was written to
    unaligned  {address of an instruction: one that it accessed, and that is not aligned}
    """

    at: dict[int, tuple[int, int]]
    calls: list[tuple[int, int]]
    lowest: int
    unaligned: dict[int, int]


def board_of(core: str) -> Board:
    """The emulated board with this core."""
    boards = [board for board in load_all().values() if board.kind == "emulated" and board.core == core]
    if not boards:
        raise EdgeTernaryError(
            f"nothing emulates {core}",
            "no board file names a machine of QEMU with it",
            "edgeternary boards lists those that do; add one as docs/boards.md says",
        )
    return boards[0]


def command(board: Board, image: Path, extra: Iterable[str] = ()) -> list[str]:
    """qemu-system-arm for an image; its exit status is the image's, its output what the UART printed."""
    if board.emulator is None:
        raise EdgeTernaryError(
            f"QEMU does not emulate {board.title}",
            "its board file names no machine",
            "edgeternary boards --kind emulated",
        )
    return [
        *require("qemu-system-arm").command,
        *("-machine", board.emulator.qemu, "-kernel", str(image)),
        *("-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"),
        *("-semihosting-config", "enable=on,target=native"),
        *extra,
    ]


def plugin() -> Path:
    """The counting plugin, built for this machine."""
    host = compilers.for_host("gcc" if find("gcc").found else "auto")
    shared = replace(host, compile=(*host.compile, "-fPIC", "-fvisibility=hidden"), link=("-shared",))
    text = (firmware_dir() / "qemu" / "count.c").read_text(encoding="utf-8")
    return compilers.build(shared, {"count.c": text}, what="the counting plugin of QEMU")


def count(
    graph: Graph, image: Image, board: Board, inputs: np.ndarray, calls: int, timeout: float = 600.0
) -> Counts:
    """Count the first `calls` calls of <model>_run on `inputs`."""
    elf, prefix = image.elf, image.model.prefix
    root = elf.symbol(f"{prefix}_run")
    steps = step_functions(elf, prefix)
    ranges = [(root.address, root.size, ROOT)]
    ranges += [(f.address, f.size, steps[f.address] + 1) for f in elf.functions if f.address in steps]
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        folder = Path(name)
        (folder / "inputs.bin").write_bytes(encode_inputs(graph, inputs))
        lines = [f"{address} {address + size} {number}\n" for address, size, number in ranges]
        (folder / "layers.txt").write_text("".join(lines))
        stack = f"low={elf.address('stack_bottom'):#x},high={elf.address('stack_top'):#x}"
        settings = f"start={root.address:#x},calls={calls},{stack},layers=layers.txt,out=counts.txt"
        started = command(board, elf.path, ("-plugin", f"{plugin()},{settings}"))
        start(started, what=f"counting model {prefix} in QEMU", cwd=folder, timeout=timeout)
        found = _read((folder / "counts.txt").read_text())
    _check_vectors(image, found.unaligned)
    return found


def answers(
    graph: Graph,
    image: Image,
    core: str,
    inputs: np.ndarray,
    progress: Callable[[int, int], None],
    timeout: float,
) -> tuple[bytes, bytes]:
    """Output bytes of all samples (and steps), and the bytes of their taps."""
    started = command(board_of(core), image.elf.path)
    what = f"model {image.model.prefix} in QEMU"
    found = exchange_bytes(graph, inputs, started, what=what, timeout=timeout)
    progress(len(inputs), len(inputs))
    return found


def measure(
    graph: Graph, image: Image, core: str, inputs: np.ndarray, timeout: float, flash: Memory | None = None
) -> Measured:
    """Count every instruction of <model>_run on all of `inputs`; there are no cycles, whatever the flash."""
    calls = len(inputs) * (inputs.shape[1] if graph.states else 1)
    found = count(graph, image, board_of(core), inputs, calls, timeout)
    (_, outside), *inner = found.calls
    layers = {-1: Count(outside, None)}
    called = steps_of([index for index, _ in inner], len(image.model.steps))
    for index, (_, runs) in zip(called, inner, strict=True):
        layers[index] = layers.get(index, Count(0, None)) + Count(runs, None)
    total = Count(sum(runs for _, runs in found.calls), None)
    used = image.elf.address("stack_top") - found.lowest
    return Measured(calls, total, layers, used, for_core(core)[1])


def _check_vectors(image: Image, unaligned: dict[int, int]) -> None:
    """Refuse an unaligned access of a vector instruction, which is a fault on silicon and not in QEMU.

    Their elements must be aligned (Armv8-M manual DDI 0553, B5.5); so must the words of vldm and vpush. Other
    accesses of several registers are faults in QEMU, and those of one are allowed.
    """
    for pc, where in unaligned.items():
        if int.from_bytes(image.elf.read(pc, 2), "little") & COPROCESSOR[0] == COPROCESSOR[1]:
            raise EdgeTernaryError(
                f"fault at pc {pc:#010x}, {image.elf.where(pc)}",
                f"a vector instruction accesses {where:#010x}, which is not aligned to its elements",
                f"disassemble {image.elf.path}",
            )


def _read(text: str) -> Counts:
    """The counts in the lines that the plugin writes."""
    rows: dict[str, list[list[int]]] = {"at": [], "layer": [], "stack": [], "unaligned": []}
    for kind, *numbers in map(str.split, text.splitlines()):
        rows[kind].append([int(number) for number in numbers])
    return Counts(
        at={address: (runs, taken) for address, runs, taken in rows["at"]},
        calls=[(number - 1, runs) for number, runs in rows["layer"]],
        lowest=rows["stack"][0][0],
        unaligned={row[0]: row[1] for row in rows["unaligned"]},
    )
