"""CIFAR-10: 50,000 + 10,000 colour pictures, 32x32, 10 classes (A. Krizhevsky, 2009), in three layouts.

The batches of https://www.cs.toronto.edu/~kriz/cifar.html, in the binary version (a record is a byte of
label, then 1,024 bytes each of red, green and blue, row by row) or in the Python version (the same rows and
labels in pickles); or the pictures as files, train/CLASS/* and test/CLASS/*.
"""

import dataclasses
import os
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array, Data, Place, Split
from edgeternary.train.data.pickled import plain_array, read_pickle
from edgeternary.train.data.picture_files import pictures
from edgeternary.train.data.splits import cut_last

CIFAR10 = "CIFAR-10, A. Krizhevsky"
CIFAR10_LABELS = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
FOLDERS = ("cifar-10-batches-bin", "cifar-10-batches-py")
BATCHES = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = "test_batch"
ROW = 3 * 32 * 32
RECORD = 1 + ROW
REMEDY = (
    f"unpack cifar-10-binary.tar.gz or cifar-10-python.tar.gz here, or set EDGETERNARY_CIFAR10 to the folder "
    f"{FOLDERS[0]} or {FOLDERS[1]}, or to one with the pictures train/CLASS/* and test/CLASS/*"
)


def cifar10_folder(folder: Place = None) -> Path:
    """`folder`, EDGETERNARY_CIFAR10 or the working directory; or its subfolder with the batches."""
    base = Path(folder or os.environ.get("EDGETERNARY_CIFAR10") or ".").expanduser()
    return next((base / name for name in FOLDERS if (base / name).is_dir()), base)


def cifar10_layout(folder: Path) -> str:
    """ "binary", "python", "pictures", or "" where the folder holds none of them."""
    if (folder / f"{BATCHES[0]}.bin").is_file():
        return "binary"
    if (folder / BATCHES[0]).is_file():
        return "python"
    return "pictures" if all((folder / "train" / name).is_dir() for name in CIFAR10_LABELS) else ""


def cifar10(folder: Place = None, validation: int = 5000, skip: bool = False) -> Data:
    """uint8 codes (n, 32, 32, 3) from what is in `cifar10_folder`.

    validation  of the batches the last training pictures, as many as this; of files the same share, drawn
    skip        files that are no such picture are left out, and counted in the name of the data set
    EdgeTernaryError if files are missing or damaged.
    """
    base = cifar10_folder(folder)
    layout = cifar10_layout(base)
    if layout == "pictures":
        found = pictures(
            base, classes=CIFAR10_LABELS, size=(32, 32), validation=validation / 50_000, skip=skip
        )
        return dataclasses.replace(found, name=f"CIFAR-10 as files: {found.name}")
    read = _pickled if layout == "python" else _binary
    end = "" if layout == "python" else ".bin"
    parts = [read(base / f"{name}{end}") for name in BATCHES]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts))
    return Data(CIFAR10, *cut_last(x, y, validation), read(base / f"{TEST}{end}"), CIFAR10_LABELS)


def _binary(path: Path) -> Split:
    raw = np.frombuffer(_checked(path).read_bytes(), np.uint8)
    if not raw.size or raw.size % RECORD:
        why = f"{raw.size:,} bytes are not a multiple of {RECORD:,}"
        raise EdgeTernaryError(f"{path} is not a batch of CIFAR-10", why, "copy it again")
    records = raw.reshape(-1, RECORD)
    return _pixels(records[:, 1:]), records[:, 0].copy()


def _pickled(path: Path) -> Split:
    """A batch of the Python version, without running its pickle."""
    batch = read_pickle(_checked(path))
    named = {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    if missing := [key for key in ("data", "labels") if key not in named]:
        why = f"it has no {missing[0]!r}"
        raise EdgeTernaryError(f"{path} is not a batch of CIFAR-10", why, "copy it again")
    rows, labels = plain_array(named["data"]), named["labels"]
    whole = rows.ndim == 2 and rows.shape[1] == ROW and isinstance(labels, list) and len(labels) == len(rows)
    if not whole or not rows.size or not all(type(n) is int and 0 <= n < 10 for n in labels):
        why = f"it has pixels of shape {rows.shape} and {len(labels)} labels"
        raise EdgeTernaryError(f"{path} is not a batch of CIFAR-10", why, "copy it again")
    return _pixels(rows), np.array(labels, np.uint8)


def _pixels(rows: Array) -> Array:
    return np.ascontiguousarray(rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _text(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _checked(path: Path) -> Path:
    if not path.is_file():
        raise EdgeTernaryError(
            f"{path} was not found", "the data set is read from local files and never downloaded", REMEDY
        )
    return path
