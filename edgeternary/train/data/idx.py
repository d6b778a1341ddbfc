"""IDX files of bytes, the format of MNIST: magic 0 0 8 rank, big-endian sizes, then the elements.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Array, Data
from edgeternary.train.data.splits import cut_last

BYTES = 8  # element type "unsigned byte" in the magic number
MOST = 1 << 31  # bytes that are unpacked from a .gz at most


def read_idx(path: Path, remedy: str = "name the folder of the IDX files") -> Array:
    """The array of one IDX file, plain or .gz. EdgeTernaryError for a bad file, or with `remedy` for none."""
    packed = path.with_name(path.name + ".gz")
    if path.is_file():
        raw = path.read_bytes()
    elif packed.is_file():
        raw = _unpacked(packed)
    else:
        raise EdgeTernaryError(
            f"{path} was not found", "the data set is read from local files and never downloaded", remedy
        )
    rank = raw[3] if len(raw) >= 4 and raw[:3] == bytes((0, 0, BYTES)) else 0
    start = 4 + 4 * rank
    if not rank or len(raw) < start:
        raise _damaged(path, "its header is not 0 0 8 RANK and RANK sizes")
    shape = struct.unpack_from(f">{rank}I", raw, 4)
    if len(raw) != start + math.prod(shape):
        size = f"{len(raw) - start:,} bytes follow its header, which says {' x '.join(map(str, shape))}"
        raise _damaged(path, size)
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def read_images(name: str, folder: Path, labels: tuple[str, ...], validation: int, remedy: str) -> Data:
    """The data set of four files like those of MNIST. The last `validation` training images validate."""
    parts = []
    for prefix in ("train", "t10k"):
        images = read_idx(folder / f"{prefix}-images-idx3-ubyte", remedy)
        if images.ndim != 3:
            raise EdgeTernaryError(
                f"{prefix}-images-idx3-ubyte has rank {images.ndim}", "images must have rank 3"
            )
        parts.append((images[..., None], read_idx(folder / f"{prefix}-labels-idx1-ubyte", remedy)))
    (x, y), test = parts
    if len(x) != len(y):
        raise EdgeTernaryError(f"{folder} has {len(x)} training images and {len(y)} labels")
    return Data(name, *cut_last(x, y, validation), test, labels)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            raw = file.read(MOST)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from error
    return raw


def _damaged(path: Path, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(f"{path} is not an IDX file of bytes", why, "copy it again")
