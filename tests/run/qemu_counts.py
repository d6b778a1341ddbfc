"""Instructions that QEMU runs between the entry and the return of a function, by address."""

from __future__ import annotations

import numpy as np

from edgeternary.boards import Board
from edgeternary.ir import Graph
from edgeternary.run._emulator import qemu
from edgeternary.run._emulator.image import Image


def count(image: Image, board: Board, graph: Graph, x: np.ndarray) -> dict[int, tuple[int, int]]:
    """{address: (times it ran, times something else than the next instruction ran after it)} of <model>_run.

    Only the first call is counted.
    """
    return qemu.count(graph, image, board, x, calls=1, timeout=60).at
