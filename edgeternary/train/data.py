"""Data sets from local files only: Fashion-MNIST and MNIST as IDX files."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import BAD_INPUT, EdgeTernaryError

FASHION_MNIST_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # Debian package dataset-fashion-mnist
FASHION_MNIST = "Fashion-MNIST, (c) 2017 Zalando SE, MIT licence"
FASHION_MNIST_LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

Array = NDArray[np.uint8]


@dataclass(frozen=True)
class Data:
    """Images uint8 (n, height, width, channels) and labels uint8 (n,), for training, validation and test."""

    name: str
    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    test: tuple[Array, Array]
    labels: tuple[str, ...]


def fashion_mnist(folder: str | os.PathLike[str] | None = None, validation: int = 5000) -> Data:
    """Fashion-MNIST from `folder`, EDGETERNARY_FASHION_MNIST or the Debian package; the last images validate.

    EdgeTernaryError when there are no IDX files or they are damaged.
    """
    base = Path(folder or os.environ.get("EDGETERNARY_FASHION_MNIST") or FASHION_MNIST_FOLDER)
    x, y = read_idx(base / "train-images-idx3-ubyte"), read_idx(base / "train-labels-idx1-ubyte")
    test = read_idx(base / "t10k-images-idx3-ubyte"), read_idx(base / "t10k-labels-idx1-ubyte")
    x, cut = x[..., None], len(x) - validation
    return Data(
        FASHION_MNIST,
        (x[:cut], y[:cut]),
        (x[cut:], y[cut:]),
        (test[0][..., None], test[1]),
        FASHION_MNIST_LABELS,
    )


def read_idx(path: Path) -> Array:
    """One IDX file of bytes, plain or with .gz: magic 0 0 8 rank, big-endian sizes, then the elements."""
    packed = path.with_name(path.name + ".gz")
    if path.is_file():
        raw = path.read_bytes()
    elif packed.is_file():
        raw = gzip.decompress(packed.read_bytes())
    else:
        raise EdgeTernaryError(
            f"{path} was not found",
            "the data set is read from local files and never downloaded",
            "apt install dataset-fashion-mnist, or set EDGETERNARY_FASHION_MNIST to the IDX files' folder",
            code=BAD_INPUT,
        )
    rank = raw[3] if len(raw) > 4 and raw[:3] == b"\0\0\x08" else 0
    shape = tuple(int(n) for n in np.frombuffer(raw[4 : 4 + 4 * rank], ">u4"))
    if not rank or len(raw) != 4 + 4 * rank + int(np.prod(shape)):
        raise EdgeTernaryError(
            f"{path} is not an IDX file of bytes", "its header and size disagree", "copy it again"
        )
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)
