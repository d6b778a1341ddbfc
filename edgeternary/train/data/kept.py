"""Arrays made of many files, kept in the user's cache until one of the files, or a setting, changes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.toolchains import cache
from edgeternary.train.data.core import Array

FOLDER = "datasets"
FORMAT = 2  # increases with every change of the arrays


def kept(
    settings: object, files: Sequence[Path], make: Callable[[], Mapping[str, Array]]
) -> dict[str, Array]:
    """What `make` gives, made once for these settings and files (path, size and time of change).

    It is written beside its place and renamed, so an interrupted run leaves nothing that a later one reads.
    """
    stats = [(path, path.stat()) for path in files]
    names = [f"{path.absolute()} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats]
    key = cache.digest(str(FORMAT), msgspec.json.encode(settings), *names)

    def fill(folder: Path) -> None:
        for name, array in make().items():
            np.save(folder / f"{name}.npy", array)

    try:
        folder = cache.build(key, fill, FOLDER)
        return {path.stem: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")}
    except (OSError, ValueError) as error:
        place = cache.directory() / FOLDER
        raise EdgeTernaryError(
            f"the cache {place} cannot be used", str(error), "delete it, or set XDG_CACHE_HOME"
        ) from error
