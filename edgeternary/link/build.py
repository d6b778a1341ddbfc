"""Reads a folder that `compile --board` wrote: its board, its image and its model."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from edgeternary.boards import Board, load_board
from edgeternary.errors import EdgeTernaryError
from edgeternary.ir import Graph

MANIFEST = "edgeternary.json"


@dataclass(frozen=True)
class Build:
    """The content of the manifest.

    kind    mcu or fpga
    model   the name of the model; `graph` is the model itself, as it was compiled
    digest  hexadecimal; a hello gives its first 16 digits
    image   the file that `flash` writes
    report  the whole manifest, with estimates, measured figures and layers
    """

    folder: Path
    board: Board
    kind: str
    model: str
    digest: str
    image: Path
    report: dict[str, Any] = field(repr=False)

    @cached_property
    def graph(self) -> Graph:
        """The model. EdgeTernaryError if its file is missing."""
        from edgeternary.ir.file import load

        return load(self.folder / Path(str(self.report.get("graph") or f"{self.model}.et")).name)

    def figure(self, word: str) -> int | None:
        """A measured figure, such as flash_bytes; None if it was not measured."""
        value = self.report.get(word, self.report.get("measured", {}).get(word))
        return value if isinstance(value, int) else None


def is_build(path: Path) -> bool:
    """Whether compile wrote this folder."""
    return (path / MANIFEST).is_file()


def read_build(folder: Path) -> Build:
    """The build in `folder`. EdgeTernaryError if there is none, or if it is not for a board."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = str(error) if is_build(folder) else f"there is no {MANIFEST}"
        if not folder.is_dir():
            why = "it is a file, not a folder" if folder.exists() else "there is no such folder"
        raise _no_build(folder, why) from error
    words = ("board", "kind", "model", "digest", "image")
    lacking = [word for word in words if not isinstance(content, dict) or not content.get(word)]
    if lacking:
        why = (
            "no board"
            if "image" not in lacking
            else "no image (it is not for a board, or --no-build was given)"
        )
        raise _no_build(folder, f"its {MANIFEST} names {why}")
    name = Path(str(content["board"])).name  # only files of the folder are read
    own = folder / f"{name}.toml"
    board = load_board(str(own) if own.is_file() else name)
    image = folder / Path(str(content["image"])).name
    if not image.is_file():
        raise _no_build(folder, f"the image {image.name} is missing")
    return Build(folder, board, content["kind"], content["model"], content["digest"], image, content)


def _no_build(folder: Path, why: str) -> EdgeTernaryError:
    return EdgeTernaryError(
        f"{folder} is not a build for a board",
        why,
        "write one with edgeternary compile MODEL --board BOARD -o FOLDER; edgeternary boards lists boards",
    )
