"""Folders with a subfolder for each class: CLASS/FILE, or train/CLASS/FILE beside test/CLASS/FILE."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeternary.errors import EdgeTernaryError
from edgeternary.train.data.core import Place

NAMED = {
    "train": "train", "training": "train", "validation": "validation", "val": "validation", "test": "test",
    "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class ByClass:
    """The files of each class, in order, and the part that their folder names ("" for none).

    labels  names of the classes, sorted or as the user gave them
    files   (path, label, part)
    """

    root: Path
    labels: tuple[str, ...]
    files: list[tuple[Path, int, str]]

    @property
    def classes(self) -> NDArray[np.int64]:
        """The label of each file."""
        return np.array([label for _, label, _ in self.files], np.int64)

    @property
    def split(self) -> bool:
        """Whether folders say what trains and what tests."""
        return any(part for _, _, part in self.files)


def by_class(
    folder: Place, suffixes: Sequence[str], classes: Sequence[str] | None, variable: str = ""
) -> ByClass:
    """The files below `folder` whose names end in one of `suffixes`, by class.

    Folders whose names begin with a dot, or have no such file at all, are an error that names them, unless
    `classes` lists others. variable: the environment variable that names the folder where `folder` is None.
    """
    root = existing(folder, variable)
    parts = {name: root / name for name in NAMED if (root / name).is_dir()}
    if "test" not in {NAMED[name] for name in parts} or "train" not in {NAMED[name] for name in parts}:
        parts = {"": root}
    found = sorted({path.name for base in parts.values() for path in base.iterdir() if _class(path)})
    wanted = found if classes is None else list(classes)
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        what = f"no folder {missing[0]!r}" if missing else "no folder for a class"
        raise EdgeTernaryError(
            f"{root} has {what}",
            f"it has {', '.join(found[:20]) or 'no folders'}",
            "a class is a folder of files: CLASS/FILE, or train/CLASS/FILE and test/CLASS/FILE",
        )
    files = [
        (path, label, NAMED.get(part, ""))
        for part, base in parts.items()
        for label, name in enumerate(wanted)
        for path in _files(base / name, suffixes)
    ]
    for label, name in enumerate(wanted):
        if not any(own == label for _, own, _ in files):
            raise EdgeTernaryError(
                f"class {name!r} of {root} is empty",
                f"its folder has no file {' or '.join(f'*{suffix}' for suffix in suffixes)}",
                "add files, remove the folder, or name the classes that you want: classes = [...]",
            )
    return ByClass(root, tuple(wanted), files)


def existing(folder: Place, variable: str = "") -> Path:
    """The folder, if it is one; EdgeTernaryError that says how it is named."""
    way = 'name it in the recipe: [data] folder = "..."'
    remedy = f"{way}, or set {variable}" if variable else way
    folder = folder or os.environ.get(variable)
    if not folder:
        raise EdgeTernaryError("no folder is named", "the data set is read from local files", remedy)
    root = Path(folder).expanduser()
    if not root.is_dir():
        why = "it is a file" if root.exists() else f"there is nothing at {root.absolute()}"
        raise EdgeTernaryError(f"{root} is no folder", why, remedy)
    return root


def _class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
