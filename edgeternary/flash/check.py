"""Checks before anything is written: the image is for this board and this model, and it is complete."""

import hashlib
from pathlib import Path

from edgeternary import image
from edgeternary.errors import DOES_NOT_FIT, EdgeTernaryError
from edgeternary.link.build import Build

SUFFIXES = (".hex", ".bin", ".elf", ".uf2")


def checked_files(build: Build) -> dict[str, Path]:
    """{suffix: file} for every format of the image. Each file is checked.

    EdgeTernaryError if it is for another board, was changed after the build, or does not fit (code 5).
    """
    if build.kind == "fpga":
        _check_bitstream(build)
        return {build.image.suffix: build.image}
    files = {build.image.suffix: build.image}
    for suffix in SUFFIXES:
        path = build.image.with_suffix(suffix)
        if path.is_file():
            files[suffix] = path
    for path in files.values():
        _check_image(build, path)
    return files


def _check_image(build: Build, path: Path) -> None:
    header = image.verify(path)
    if header.board != build.board.name:
        raise EdgeTernaryError(
            f"{path.name} is an image for {header.board}",
            f"the build is for {build.board.name}",
            f"edgeternary compile MODEL --board {build.board.name} -o {build.folder}",
        )
    if header.digest != build.digest:
        raise EdgeTernaryError(
            f"{path.name} belongs to another build",
            f"its digest is {header.digest[:16]}, the manifest has {build.digest[:16]}",
            "compile the model again",
        )
    there = build.board.flash.bytes if build.board.flash else 0
    if header.length > there:
        raise EdgeTernaryError(
            f"{path.name} does not fit: it has {header.length:,} bytes, {build.board.title} {there:,}",
            "the image or the board's file was changed after the build",
            "compile the model again, or for a board with more flash: edgeternary boards",
            DOES_NOT_FIT,
        )


def _check_bitstream(build: Build) -> None:
    found = hashlib.sha256(build.image.read_bytes()).hexdigest()
    wanted = build.report.get("measured", {}).get("sha256")
    if found != wanted:
        raise EdgeTernaryError(
            f"{build.image.name} belongs to another build",
            f"its SHA-256 is {found[:16]}..., the manifest has {str(wanted)[:16]}...",
            "compile the model again",
        )
