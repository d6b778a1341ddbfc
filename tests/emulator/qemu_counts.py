"""Instructions that QEMU runs between the entry and the return of a function, counted by plugin.c."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeternary.boards import Board
from edgeternary.ir import Graph
from edgeternary.run._bench import encode_inputs
from edgeternary.run._emulator.image import Image
from edgeternary.run.qemu import command
from edgeternary.toolchains import require, run

SOURCE = Path(__file__).with_name("plugin.c")


def build_plugin(folder: Path) -> Path:
    plugin = folder / "plugin.so"
    options = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden")
    run([*require("gcc").command, *options, "-o", plugin, SOURCE], what="building the plugin")
    return plugin


def count(
    plugin: Path, image: Image, board: Board, graph: Graph, x: np.ndarray, folder: Path
) -> dict[int, tuple[int, int]]:
    """{address: (times it ran, times something else than the next instruction ran after it)} of <model>_run.

    Only the first call is counted.
    """
    (folder / "inputs.bin").write_bytes(encode_inputs(graph, x))
    start = image.elf.address(f"{image.model.prefix}_run")
    extra = ("-plugin", f"{plugin},start={start:#x},out=counts.txt")
    run(command(board, image.elf.path, extra), what="counting in QEMU", cwd=folder, timeout=60)
    rows = [[int(n) for n in line.split()] for line in (folder / "counts.txt").read_text().splitlines()]
    return {address: (runs, taken) for address, runs, taken in rows}
