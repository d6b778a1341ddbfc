"""Tiny data sets in the formats of the real ones."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


def idx(array: np.ndarray) -> bytes:
    """An IDX file of bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def mnist_files(folder: Path, train: int = 6, test: int = 3) -> Path:
    """The four files of an MNIST of 2x3 pictures; picture i is all i, and its label."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, count in (("train", train), ("t10k", test)):
        values = np.arange(count, dtype=np.uint8)
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(np.tile(values[:, None, None], (1, 2, 3))))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(values))
    return folder


def ts(series: list[np.ndarray], classes: list[str]) -> str:
    """A .ts file of series (channels, length)."""
    lines = ["# made up", "@problemName tiny", "@classLabel true", "@data"]
    for values, label in zip(series, classes):
        lines.append(":".join([",".join(map(repr, map(float, row))) for row in values] + [label]))
    return "\n".join(lines) + "\n"
