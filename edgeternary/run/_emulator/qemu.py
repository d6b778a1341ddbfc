"""Running and counting a linked model in QEMU, for a core that the other emulator lacks."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeternary.boards import Board, load_all
from edgeternary.data import firmware_dir
from edgeternary.errors import EdgeTernaryError
from edgeternary.image.elf import Elf
from edgeternary.ir import Graph
from edgeternary.run._bench import encode_inputs, exchange_bytes
from edgeternary.run._emulator.image import Image
from edgeternary.run._emulator.linear import Linear
from edgeternary.run._emulator.measured import Count, Measured, step_functions, steps_of
from edgeternary.run._emulator.timing import for_core
from edgeternary.run._emulator.timing.pipeline import Pipeline
from edgeternary.run._emulator.timing.waits import Fetch
from edgeternary.toolchains import compilers, find, require
from edgeternary.toolchains import run as start

COPROCESSOR = 0xEE00, 0xEC00  # mask and bits of the first halfword of loads and stores of vector registers
ROOT = 0  # the layer of <model>_run itself; step i is layer i + 1


Runs = dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Counts:
    """What the plugin counted.

    at      {address: (times it ran, times something else than the next instruction ran after it)}
    within  the same for each of `calls`, by its place there
    calls   (index of a step, instructions with what it calls) for each call, in order; first -1, the run
            function itself
    lowest  address of the stack that was written to
    unaligned  {address of an instruction: one that it accessed, and that is not aligned}
    """

    at: Runs
    within: dict[int, Runs]
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
    files = {
        "inputs.bin": encode_inputs(graph, inputs),
        "layers.txt": "".join(f"{at} {at + size} {number}\n" for at, size, number in ranges).encode(),
    }
    stack = f"low={elf.address('stack_bottom'):#x},high={elf.address('stack_top'):#x}"
    found = run(
        elf, board, f"start={root.address:#x},calls={calls},{stack},layers=layers.txt", files, timeout
    )
    _check_vectors(image, found.unaligned)
    return found


def run(elf: Elf, board: Board, settings: str, files: Mapping[str, bytes], timeout: float) -> Counts:
    """Run an image, which ends by itself, with the plugin: its settings, and files that the image reads."""
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        started = command(board, elf.path.resolve(), ("-plugin", f"{plugin()},{settings},out=counts.txt"))
        start(started, what=f"counting {elf.path.name} in QEMU", cwd=folder, timeout=timeout)
        return _read((folder / "counts.txt").read_text())


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
    graph: Graph, image: Image, core: str, inputs: np.ndarray, timeout: float, fetch: Fetch | None = None
) -> Measured:
    """Count every instruction of <model>_run on all of `inputs`; code arrives at once, whatever `fetch`."""
    calls = len(inputs) * (inputs.shape[1] if graph.states else 1)
    found = count(graph, image, board_of(core), inputs, calls, timeout)
    timing, how = for_core(core)
    linear = Linear(image.elf, timing) if isinstance(timing, Pipeline) else None
    counts = [
        Count(runs, linear.cycles(found.within[place]) if linear else None)
        for place, (_, runs) in enumerate(found.calls)
    ]
    layers = {-1: counts[0]}
    called = steps_of([index for index, _ in found.calls[1:]], len(image.model.steps))
    for index, one in zip(called, counts[1:], strict=True):
        layers[index] = layers[index] + one if index in layers else one
    total = sum(counts[1:], counts[0])
    used = image.elf.address("stack_top") - found.lowest
    return Measured(calls, total, layers, used, how)


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
    rows: dict[str, list[list[int]]] = {"at": [], "in": [], "layer": [], "stack": [], "unaligned": []}
    for kind, *numbers in map(str.split, text.splitlines()):
        rows[kind].append([int(number) for number in numbers])
    within: dict[int, Runs] = {}
    for call, address, runs, taken in rows["in"]:
        within.setdefault(call, {})[address] = runs, taken
    return Counts(
        within=within,
        at={address: (runs, taken) for address, runs, taken in rows["at"]},
        calls=[(number - 1, runs) for number, runs in rows["layer"]],
        lowest=rows["stack"][0][0],
        unaligned={row[0]: row[1] for row in rows["unaligned"]},
    )
