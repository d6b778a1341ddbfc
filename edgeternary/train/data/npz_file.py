"""Reads a `.npz` file as a data set."""

import difflib
import os
from pathlib import Path
from typing import Any

import numpy as np

from edgeternary.errors import EdgeTernaryError
from edgeternary.run._claims import check_claims
from edgeternary.train.data.core import Array, Data, Split
from edgeternary.train.data.splits import cut_last

PAIRS = "x_train, y_train, x_test, y_test and optionally x_validation, y_validation"
LIST = "images, labels and split (0 training, 1 validation, 2 test, or these words)"
CODES = {"train": "0", "training": "0", "validation": "1", "val": "1", "test": "2"}
LAYOUTS = {  # of samples: where the axes N, H, W, C of a map lie; None: an axis of size 1
    "NHWC": (0, 1, 2, 3), "NCHW": (0, 2, 3, 1), "NHW": (0, 1, 2, None), "NTC": (0, None, 1, 2),
    "NCL": (0, None, 2, 1), "NC": (0, None, 1, None),
}  # fmt: skip
KEYS = (
    "x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test", "images", "labels", "split",
    "name", "label_names", "layout", "input_type", "input_scale", "input_zero",
)  # fmt: skip
TYPES = {"uint8": "uint8", "int8": "int8", "bool": "binary", "int16": "int16"}


def npz(path: str | os.PathLike[str], validation: int | None = None) -> Data:
    """The data set of a file with the arrays x_train, y_train, x_test, y_test, or images, labels, split.

    Samples are uint8, int8, int16 or bool. layout, a text, names their axes: "NHWC", "NCHW", "NHW" (pictures
    of one channel), "NTC" or "NCL" (series), "NC" (rows of a table); without it they are "NHWC", "NC", or,
    for three axes of uint8 or bool, "NHW". Labels are integers (n,) or (n, 1). x_validation and y_validation
    are optional; without validation samples, the last `validation` training samples validate: by default a
    tenth of them, at most 5,000. Further optional arrays are name, labels or label_names (texts), input_type,
    input_scale and input_zero (one number, or one for each channel, of a table each column). Objects
    (pickles) are not read. EdgeTernaryError names what is missing or wrong.
    """
    file = Path(path)
    arrays = _read(file)
    for key in arrays:
        near = difflib.get_close_matches(key.lower(), KEYS, n=1, cutoff=0.8)
        if key not in KEYS and near and near[0] not in arrays:
            raise EdgeTernaryError(
                f"{file} has an unknown array {key!r}",
                f"did you mean {near[0]!r}?",
                f"give {PAIRS}; or {LIST}",
            )
    train, held, test = _parts(file, arrays)
    if held is None:
        count = validation or min(5000, max(1, len(train[0]) // 10))
        train, held = cut_last(*train, count)
    names = arrays.get("label_names", arrays.get("labels"))
    if names is not None and names.dtype.kind == "U" and names.ndim == 1:
        labels = tuple(str(name) for name in names)
    else:
        labels = tuple(str(i) for i in range(1 + max(int(y.max(initial=0)) for _, y in (train, held, test))))
    kind = str(arrays["images" if "images" in arrays else "x_train"].dtype)
    if kind not in TYPES:
        raise EdgeTernaryError(
            f"samples of {file} are {kind}",
            f"they must be one of {', '.join(TYPES)}",
            "make codes, np.rint(x / scale).clip(-127, 127).astype(np.int8), and save input_scale=scale",
        )
    input_type = str(arrays.get("input_type", TYPES[kind]))
    scale = _numbers(file, arrays, "input_scale", float, 1 / 255 if input_type == "uint8" else 1.0)
    zero = _numbers(file, arrays, "input_zero", int, 0)
    title = str(arrays.get("name", file.stem))
    return Data(title, train, held, test, labels, input_type, scale, zero)


def _numbers(file: Path, arrays: dict[str, Array], key: str, number: type, default: float) -> Any:
    """One number, or a tuple with one for each channel."""
    found = np.asarray(arrays.get(key, default))
    if found.dtype.kind not in "iuf" or found.ndim > 1 or (number is int and np.any(found != np.rint(found))):
        raise EdgeTernaryError(
            f"{key} of {file} is {found.dtype} of shape {found.shape}",
            f"it must be one {number.__name__}, or one for each channel",
            "save it as numbers",
        )
    return tuple(number(n) for n in found) if found.ndim else number(found)


def _read(file: Path) -> dict[str, Array]:
    if not file.is_file():
        raise EdgeTernaryError(
            f"{file} cannot be read",
            f"there is no such file in {file.absolute().parent}",
            f"give arrays {PAIRS}",
        )
    try:
        check_claims(file)
        with np.load(file, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except Exception as error:  # numpy, zipfile, zlib and tokenize each have their own for damaged files
        raise EdgeTernaryError(
            f"{file} cannot be read as .npz", str(error), f"give arrays {PAIRS}"
        ) from error


def _parts(file: Path, arrays: dict[str, Array]) -> tuple[Split, Split | None, Split]:
    if "images" in arrays:
        return _by_split(file, arrays)
    missing = [key for key in ("x_train", "y_train", "x_test", "y_test") if key not in arrays]
    if missing:
        have = ", ".join(arrays) or "no arrays"
        raise EdgeTernaryError(f"{file} has no {missing[0]}", f"it has {have}", f"give {PAIRS}; or {LIST}")
    train, test = (_pair(file, arrays, f"x_{part}", f"y_{part}") for part in ("train", "test"))
    if "x_validation" not in arrays or "y_validation" not in arrays:
        return train, None, test
    return train, _pair(file, arrays, "x_validation", "y_validation"), test


def _by_split(file: Path, arrays: dict[str, Array]) -> tuple[Split, Split | None, Split]:
    missing = [key for key in ("labels", "split") if key not in arrays]
    if missing:
        raise EdgeTernaryError(f"{file} has images but no {missing[0]}", "", f"give {LIST}; or {PAIRS}")
    x, y = _pair(file, arrays, "images", "labels")
    split = np.array([CODES.get(str(value).lower(), str(value)) for value in arrays["split"].ravel()])
    if not len(x) == len(y) == len(split) or not set(split) <= {"0", "1", "2"}:
        raise EdgeTernaryError(
            f"{file}: {len(x)} images, {len(y)} labels, {len(split)} entries of split",
            f"the three numbers must be equal; split holds {', '.join(sorted(set(split))[:5])}",
            f"give {LIST}",
        )
    train, held, test = ((x[split == code], y[split == code]) for code in "012")
    return train, held if len(held[0]) else None, test


def _pair(file: Path, arrays: dict[str, Array], samples: str, labels: str) -> Split:
    x, y = arrays[samples], arrays[labels]
    places = LAYOUTS[_layout(file, arrays, samples)]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise EdgeTernaryError(
            f"{labels} of {file} is {y.dtype} of shape {y.shape}",
            "labels must be integers of shape (n,)",
            f"give {PAIRS}",
        )
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)
    x = x.transpose([place for place in places if place is not None])
    return np.expand_dims(x, [axis for axis, place in enumerate(places) if place is None]), y


def _layout(file: Path, arrays: dict[str, Array], samples: str) -> str:
    """The layout that the file names, or the one that the shape leaves no doubt of."""
    x, named = arrays[samples], str(arrays.get("layout", ""))
    known = [name for name in LAYOUTS if len(name) == x.ndim]
    if named and (named not in LAYOUTS or len(named) != x.ndim):
        raise EdgeTernaryError(
            f"{file} has the layout {named[:20]!r}, and {samples} the shape {x.shape}",
            "a layout has a letter for each axis",
            f"give one of {', '.join(known or LAYOUTS)}",
        )
    if not known:
        raise EdgeTernaryError(
            f"{samples} of {file} has shape {x.shape}", "samples must be (n, H, W, C)", f"give {PAIRS}"
        )
    if named or x.ndim == 2:
        return named or "NC"
    series = x.ndim == 3 and x.dtype.kind == "i"
    first = x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3] > 4
    if series or first:
        what = (
            "(n, C, H, W) or (n, H, W, C)"
            if first
            else "series (n, T, C) or (n, C, L), or pictures (n, H, W)"
        )
        raise EdgeTernaryError(
            f"{samples} of {file} has shape {x.shape}",
            f"it may be {what}",
            f"say which: np.savez(..., layout={known[1]!r}); known are {', '.join(known)}",
        )
    return "NHW" if x.ndim == 3 else "NHWC"
