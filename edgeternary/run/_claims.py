"""What files of numpy claim to hold, compared with what is there, before anything is allocated."""

import math
from pathlib import Path
from zipfile import ZipFile

import numpy as np

NPY = b"\x93NUMPY"  # what a .npy file begins with
LARGE, PACKED = 2**28, 200  # bytes of an array above which it may not be packed 200 times and more


def check_claims(path: Path) -> None:
    """ValueError for a file whose arrays claim, or unpack to, far more than its bytes can mean."""
    with path.open("rb") as file:
        if file.read(len(NPY)) == NPY:
            np.load(path, mmap_mode="r", allow_pickle=False)  # maps what the header claims, if it is there
            return
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.file_size > LARGE and entry.file_size > PACKED * max(1, entry.compress_size):
                raise ValueError(f"{entry.filename} unpacks to {entry.file_size:,} bytes")
            with archive.open(entry) as stream:
                version = np.lib.format.read_magic(stream)
                reader = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
                shape, _, dtype = reader.get(version[0], reader[2])(stream)
            if math.prod(shape) * dtype.itemsize > entry.file_size and not dtype.hasobject:
                raise ValueError(f"{entry.filename} claims the shape {shape}, and has fewer bytes")
