"""Files of the time series classification archive (`.ts`), as the package aeon ships them.

Format: the file begins with comments (#) and fields (@). After @data, each line is a series. Colons separate
its channels, commas separate the values; the class is last. Source: aeon documentation, "The .ts file
format".
"""

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import TOOL_MISSING, EdgeTernaryError
from edgeternary.train.data.core import Place

REMEDY = "install it with: pip install 'edgeternary[data]', or name a folder that holds the .ts files"
Series = NDArray[np.float64]  # (channels, length)


def aeon_folder(name: str) -> Path:
    """The folder in which aeon keeps the data set `name`. It does not import aeon, which takes seconds."""
    spec = importlib.util.find_spec("aeon")
    if spec is None or not spec.submodule_search_locations:
        raise EdgeTernaryError("the package aeon is missing", f"it holds {name}", REMEDY, TOOL_MISSING)
    return Path(spec.submodule_search_locations[0], "datasets", "data", name)


def read_ts(path: Path) -> tuple[list[Series], list[str]]:
    """Series (channels, length) and their classes. EdgeTernaryError for damaged files and missing values."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EdgeTernaryError(f"{path} cannot be read", str(error), REMEDY) from error
    series: list[Series] = []
    classes: list[str] = []
    data = False
    for number, line in enumerate(map(str.strip, lines), 1):
        if line.lower() == "@data":
            data = True
        elif data and line:
            *channels, label = line.split(":")
            try:
                values = np.array([channel.split(",") for channel in channels], np.float64)
            except ValueError as error:
                raise _damaged(path, number, str(error)) from error
            if (
                values.ndim != 2
                or (series and len(values) != len(series[0]))
                or not np.isfinite(values).all()
            ):
                raise _damaged(
                    path,
                    number,
                    "all lines must have the same number of channels, of one length, without gaps",
                )
            series.append(values)
            classes.append(label)
    if not series:
        raise _damaged(path, len(lines), "no series follows @data")
    return series, classes


def read_pair(name: str, folder: Place) -> list[tuple[list[Series], list[str]]]:
    """Training and test series of `name` from NAME_TRAIN.ts and NAME_TEST.ts in `folder` or in aeon."""
    base = Path(folder) if folder else aeon_folder(name)
    return [read_ts(base / f"{name}_{part}.ts") for part in ("TRAIN", "TEST")]


def _damaged(path: Path, line: int, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{path}, line {line}, is not a series of the .ts format", why, "copy the file again"
    )
