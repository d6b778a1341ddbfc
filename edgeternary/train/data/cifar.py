"""CIFAR-10, binary version: 50,000 + 10,000 colour pictures, 32x32, 10 classes (A. Krizhevsky, 2009).

A record is one byte of label, then 1,024 bytes each of red, green and blue, row by row. Source:
https://www.cs.toronto.edu/~kriz/cifar.html, section "Binary version".
"""

import os
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Data, Place, Split
from edgeternary.train.data.splits import cut_last

CIFAR10 = "CIFAR-10, A. Krizhevsky"
CIFAR10_LABELS = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
RECORD = 1 + 3 * 32 * 32
REMEDY = f"unpack cifar-10-binary.tar.gz here, or set EDGETERNARY_CIFAR10 to the folder {FOLDER}"


def cifar10_folder(folder: Place = None) -> Path:
    """`folder`, EDGETERNARY_CIFAR10 or the working directory; or its subfolder cifar-10-batches-bin."""
    base = Path(folder or os.environ.get("EDGETERNARY_CIFAR10") or ".")
    return base / FOLDER if (base / FOLDER).is_dir() else base


def cifar10(folder: Place = None, validation: int = 5000) -> Data:
    """uint8 codes (n, 32, 32, 3) from the .bin files in `cifar10_folder`. The last training images validate.

    EdgeTernaryError if files are missing or truncated, and for the Python version, which holds pickles.
    """
    base = cifar10_folder(folder)
    parts = [_read(base / name) for name in TRAIN_FILES]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts))
    return Data(CIFAR10, *cut_last(x, y, validation), _read(base / "test_batch.bin"), CIFAR10_LABELS)


def _read(path: Path) -> Split:
    if not path.is_file():
        why = "the data set is read from local files and never downloaded"
        if path.with_suffix("").is_file() or (path.parent / "cifar-10-batches-py").is_dir():
            why = "the folder has the Python version; its pickles can run code, so they are not read"
        raise EdgeTernaryError(f"{path} was not found", why, REMEDY)
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    if not raw.size or raw.size % RECORD:
        why = f"{raw.size:,} bytes are not a multiple of {RECORD:,}"
        raise EdgeTernaryError(f"{path} is not a batch of CIFAR-10", why, "copy it again")
    records = raw.reshape(-1, RECORD)
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return images, records[:, 0].copy()
