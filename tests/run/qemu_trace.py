"""What QEMU's own log says that it ran, an instruction at a time: a judge of the counting plugin."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

from edgeternary.boards import Board
from edgeternary.ir import Graph
from edgeternary.run._bench import encode_inputs
from edgeternary.run._emulator import qemu
from edgeternary.run._emulator.image import Image
from edgeternary.toolchains import run as start

LOG = ("-accel", "tcg,one-insn-per-tb=on", "-d", "exec,nochain", "-D", "log.txt")
LINE = re.compile(r"^Trace \d+: \S+ \[\w+/(\w+)/", re.MULTILINE)


def count(image: Image, board: Board, graph: Graph, x: np.ndarray) -> dict[int, tuple[int, int]]:
    """As qemu_counts.count: {address: (times it ran, times it was not followed by the next instruction)}.

    Of the first call of <model>_run, from its entry to the instruction that follows its call.
    """
    with tempfile.TemporaryDirectory(prefix="edgeternary-") as name:
        folder = Path(name)
        (folder / "inputs.bin").write_bytes(encode_inputs(graph, x))
        started = qemu.command(board, image.elf.path, LOG)
        start(started, what="tracing a model in QEMU", cwd=folder, timeout=120)
        ran = [int(pc, 16) for pc in LINE.findall((folder / "log.txt").read_text())]
    first = ran.index(image.elf.address(f"{image.model.prefix}_run"))
    end = ran.index(_next(image, ran[first - 1]), first)
    inside = ran[first : end + 1]
    runs = Counter(inside[:-1])
    taken = Counter(at for at, following in pairwise(inside) if following != _next(image, at))
    return {at: (times, taken[at]) for at, times in runs.items()}


def _next(image: Image, at: int) -> int:
    """The address after an instruction of two bytes, or of four where its first halfword says so."""
    wide = int.from_bytes(image.elf.read(at, 2), "little") >> 11 in (0b11101, 0b11110, 0b11111)
    return at + (4 if wide else 2)
